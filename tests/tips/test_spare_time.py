from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, DIGITS, applied, skipped, start, with_budget, with_rungs
from tests.tips.known_masks import HIPPOCAMPUS, start_masks

from fieldcraft.plan.masks import UNet
from fieldcraft.plan.schema import Batch, Cnn, Plan, ResNet
from fieldcraft.tips.epochs import cap
from fieldcraft.tips.mask_steps import MOST_STEPS
from fieldcraft.tips.spare_time import TIP

PLAN = replace(with_rungs(start(CIFAR10), Cnn(), ResNet()), batch=Batch(size=128))
UNET = UNet(widths=(8, 16), depths=(1, 1), kernels=((3, 3, 3),) * 2, strides=((2, 2, 2),))


def with_steps(plan: Plan, *steps: int, **changes: object) -> Plan:
    rungs = tuple(
        replace(rung, steps=count, **changes) for rung, count in zip(plan.ladder.rungs, steps, strict=True)
    )  # fmt: skip
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs))


def test_networks_may_go_on_up_to_the_passes_that_are_useful() -> None:
    passes = cap(CIFAR10.data.train) * -(-CIFAR10.data.train // 128)
    found = applied(TIP, CIFAR10, with_steps(PLAN, 100, passes))
    assert [(rung.steps, rung.most_steps) for rung in found.ladder.rungs] == [(100, passes), (passes, 0)]


def test_nothing_is_left_over_without_a_limit_or_where_there_is_enough() -> None:
    assert "no limit" in skipped(TIP, with_budget(CIFAR10, None), with_steps(PLAN, 100, 100))
    assert "useful" in skipped(TIP, CIFAR10, with_steps(PLAN, 10**6, 10**6))
    assert "no networks" in skipped(TIP, DIGITS, start(DIGITS))


@pytest.mark.parametrize(("copy_of", "most"), [("", MOST_STEPS), ("rung-0", 0)])
def test_networks_of_masks_that_are_repeated_have_enough(copy_of: str, most: int) -> None:
    plan = with_rungs(start_masks(HIPPOCAMPUS), UNET, UNET)
    first, second = with_steps(plan, 1_500, 1_500).ladder.rungs
    rungs = (first, replace(second, copy_of=copy_of))
    plan = replace(plan, ladder=replace(plan.ladder, rungs=rungs, ensemble="if-better"))
    decision = TIP.decide(HIPPOCAMPUS, plan)
    rungs = decision.plan.ladder.rungs if most else plan.ladder.rungs
    assert [rung.most_steps for rung in rungs] == [most, most]
