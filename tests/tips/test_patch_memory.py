"""The patch gives way where even one is too much, by no more than it has to."""

from dataclasses import replace
from math import prod

import pytest
import torch
from tests.tips.known_briefs import with_machine
from tests.tips.known_masks import ABDOMEN, ENCODED, HIPPOCAMPUS, MEMBRANES, WEIGHTS, start_masks, with_weights

from fieldcraft.build.mask_network import build_mask_network, wants
from fieldcraft.plan.masks import Atrous, DeepMedic, UNet
from fieldcraft.plan.memory import ROOM, allowed_mib, most_mib
from fieldcraft.plan.schema import Execution, Imported, Ladder, Plan, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.records.fact import Fact
from fieldcraft.tips import patch_memory
from fieldcraft.tips.interface import Applied, Ask, Skipped
from fieldcraft.train.patch_memory import PatchMemory

BIG = UNet(
    widths=(16, 32, 64, 128), depths=(2,) * 4, kernels=((3, 3, 3),) * 4, strides=((2, 2, 2),) * 3, decoder_depth=2,
)  # fmt: skip
SMALL = replace(BIG, widths=(4, 8, 16, 32))


def plan(known: Brief, patch: tuple[int, ...], *networks: object, memory_mib: int | None = None) -> Plan:
    start = start_masks(known)
    rungs = tuple(Rung(name=f"n{place}", network=one, steps=1, lr=0.01) for place, one in enumerate(networks))
    return replace(
        start, input=replace(start.input, patch=patch), ladder=Ladder(rungs=rungs),
        execution=Execution(memory_mib=memory_mib),
    )  # fmt: skip


def settled(known: Brief, given: Plan, mib) -> tuple[Applied | Skipped, list[tuple[int, ...]]]:
    asked = []
    for _ in range(20):
        said = patch_memory.TIP.decide(known, given)
        if not isinstance(said, Ask):
            return said, asked
        asked += [one.patch for one in said.measurements]
        answers = {
            one.key: Fact(value=float(mib(one.patch, one.rung)), method="told", sample="one")
            for one in said.measurements
        }
        known = Brief(facts=replace(known.facts, measured={**known.facts.measured, **answers}))
    raise AssertionError("it never stops asking")


def by_voxel(patch: tuple[int, ...], rung: int) -> float:
    return 100 + prod(patch) / 1000


def test_a_patch_far_below_the_bound_asks_nothing() -> None:
    said, asked = settled(HIPPOCAMPUS, plan(HIPPOCAMPUS, (16, 16, 16), SMALL), by_voxel)
    assert isinstance(said, Skipped) and not asked and "may be taken" in said.because


def test_the_largest_patch_that_fits_is_taken_after_three_questions() -> None:
    given = plan(ABDOMEN, (128, 128, 64), BIG, memory_mib=600)
    said, asked = settled(ABDOMEN, given, by_voxel)
    assert isinstance(said, Applied) and len(asked) == 3
    found = said.plan.input.patch
    assert found == asked[-1] and by_voxel(found, 0) <= 600 < by_voxel(given.input.patch, 0)
    assert all(side % 8 == 0 and side >= 16 for side in found)
    larger = [tuple(side + 8 * (axis == one) for one, side in enumerate(found)) for axis in range(3)]
    assert any(by_voxel(one, 0) > 600 for one in larger)
    assert replace(said.plan, input=given.input) == given, "only the patch changes"
    assert f"instead of {by_voxel((128, 128, 64), 0):,.0f}; 600 may be taken" in said.because


def test_what_fits_stays_and_the_largest_network_decides() -> None:
    given = plan(ABDOMEN, (128, 128, 64), SMALL, BIG, memory_mib=600)
    said, _ = settled(ABDOMEN, given, lambda patch, rung: 599)
    assert isinstance(said, Skipped) and "599 MiB; 600 may be taken" in said.because
    said, _ = settled(ABDOMEN, given, lambda patch, rung: by_voxel(patch, rung) if rung else 10)
    assert isinstance(said, Applied) and by_voxel(said.plan.input.patch, 1) <= 600


def test_where_none_fits_the_smallest_is_taken_and_that_is_said() -> None:
    said, _ = settled(ABDOMEN, plan(ABDOMEN, (128, 128, 64), BIG, memory_mib=50), by_voxel)
    assert isinstance(said, Applied) and said.plan.input.patch == (16, 16, 16)
    assert said.because.endswith("none is small enough")


def test_networks_that_cannot_be_told_leave_the_patch_alone() -> None:
    given = plan(ABDOMEN, (128, 128, 64), Imported(target="mine:Net"), memory_mib=50)
    said, _ = settled(ABDOMEN, given, lambda patch, rung: float("inf"))
    assert isinstance(said, Skipped) and "from shapes alone" in said.because


@pytest.mark.parametrize(("known", "coarsest"), [(with_weights(MEMBRANES, WEIGHTS), 16), (MEMBRANES, 32)])
def test_an_encoder_that_is_taken_over_is_looked_at_and_shrinks_by_its_coarsest_map(
    known: Brief, coarsest: int
) -> None:
    said, asked = settled(known, plan(known, (512, 512), ENCODED, memory_mib=200), by_voxel)
    assert isinstance(said, Applied) and asked[:2] == [(512, 512), (2 * coarsest,) * 2]
    assert by_voxel(said.plan.input.patch, 0) <= 200 and all(side % coarsest == 0 for side in said.plan.input.patch)


def test_slices_stay_slices() -> None:
    flat = replace(BIG, kernels=((1, 3, 3),) * 4, strides=((1, 2, 2),) * 3)
    said, _ = settled(ABDOMEN, plan(ABDOMEN, (1, 512, 512), flat, memory_mib=200), by_voxel)
    assert isinstance(said, Applied) and said.plan.input.patch[0] == 1 and by_voxel(said.plan.input.patch, 0) <= 200


def test_the_bound_is_a_share_of_what_is_free_unless_the_plan_says_less() -> None:
    assert allowed_mib(Execution(), 1000) == 1000 * ROOM
    assert allowed_mib(Execution(memory_mib=100), 1000) == 100
    assert allowed_mib(Execution(memory_mib=5000), 1000) == 1000 * ROOM
    assert [most_mib(Execution(memory_mib=mib), 1000) for mib in (None, 100, 5000)] == [1000, 100, 1000]
    little = with_machine(ABDOMEN, free_mib=500)
    said, _ = settled(little, plan(little, (128, 128, 64), BIG), by_voxel)
    assert isinstance(said, Applied) and by_voxel(said.plan.input.patch, 0) <= 500 * ROOM


@pytest.mark.parametrize(
    "network",
    [BIG, replace(BIG, encoder="residual", depths=(1,) * 4), DeepMedic(), Atrous()],
    ids=["unet", "residual", "deepmedic", "atrous"],
)
def test_the_rough_look_never_misses_what_is_close(network) -> None:
    """What it takes for less than its share of the bound would fit if it were counted."""
    with torch.device("meta"):
        net = build_mask_network(network, channels=1, spatial=3, classes=3)
    sample = replace(start_masks(HIPPOCAMPUS).input, patch=(48, 48, 24))
    counted = PatchMemory(net=net, channels=1, context=wants(net, 3, own=False).context).total_mib(sample.patch, 1)
    assert patch_memory.CLOSE < patch_memory._rough_mib(network, sample, 3) / counted < 5
