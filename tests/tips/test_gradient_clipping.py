from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import AdaptiveClip, ClipNorm, Cnn, Linear, Mlp, ResNet, Sgd
from fieldcraft.tips.gradient_clipping import FULL, TIP


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        ((ResNet(norm="none", depths=(2, 2, 2)),), "16 layers without a norm"),
        ((Cnn(norm="none"), Mlp(norm="none")), "4 layers without a norm"),
        ((ResNet(depths=(4, 4, 4)), Mlp(), Linear()), "norms hold the gradients of all 3"),
        ((Cnn(), OWN), "--set clipping.kind"),
        ((), "no networks"),
    ],
)
def test_the_reason_names_what_holds_the_gradients(networks, words):
    assert words in skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), *networks))


def test_clipping_set_by_hand_is_left_alone():
    plan = replace(with_rungs(start(CIFAR10), Cnn()), clipping=ClipNorm())
    assert "norm" in skipped(TIP, CIFAR10, plan)


def test_a_full_rate_without_norms_is_clipped_by_unit():
    plan = replace(with_rungs(start(CIFAR10), ResNet(norm="none", depths=(1, 1, 1))), optimiser=Sgd())
    rungs = tuple(replace(rung, lr=FULL) for rung in plan.ladder.rungs)
    assert applied(TIP, CIFAR10, replace(plan, ladder=replace(plan.ladder, rungs=rungs))).clipping == AdaptiveClip()
    skipped(TIP, CIFAR10, plan)
