"""A pretrained encoder in a draft: the last rung, with a rate and a patch that fit it."""

from dataclasses import replace

import pytest
from tests.tips.known_briefs import found
from tests.tips.known_masks import HIPPOCAMPUS, MEMBRANES, WEIGHTS, masks, start_masks, with_weights

from fieldcraft.plan.schema import EncodedUNet
from fieldcraft.records.brief import Brief
from fieldcraft.records.weights import WeightsFacts
from fieldcraft.tips import ALL
from fieldcraft.tips.draft import Draft, draft
from fieldcraft.tips.interface import Measurement, MemoryNeed, Skipped
from fieldcraft.tips.mask_optimiser import RATE
from fieldcraft.tips.pretrained_encoder import TIP

KNOWN = with_weights(MEMBRANES, WEIGHTS)
MIB_A_PIXEL = 1 / 100


def drafted(known: Brief = KNOWN, *edits: str) -> Draft:
    def measure(questions: tuple[Measurement, ...]):
        return {
            one.key: found(MIB_A_PIXEL * one.patch[0] * one.patch[1] if isinstance(one, MemoryNeed) else 50.0)
            for one in questions
        }

    return draft(known, start_masks(known), ALL, measure=measure, edits=edits)


def test_it_is_the_last_rung_and_learns_at_the_rate_of_the_others() -> None:
    rungs = drafted().plan.ladder.rungs
    assert isinstance(rungs[-1].network, EncodedUNet) and len(rungs) > 1
    assert {one.lr for one in rungs} == {RATE}


def test_the_patch_of_a_draft_fits_it() -> None:
    """The small networks beside it would not have asked."""
    free = drafted().plan.input.patch
    bound = MIB_A_PIXEL * free[0] * free[1] - 1
    tight = drafted(KNOWN, f"execution.memory_mib={int(bound)}")
    patch = tight.plan.input.patch
    assert MIB_A_PIXEL * patch[0] * patch[1] <= bound and patch < free
    because = next(one.because for one in tight.decisions if one.tip == "patch-memory")
    assert f"{int(bound):,} may be taken" in because


def test_a_second_fold_over_its_own_result_changes_nothing() -> None:
    first = drafted()
    again = draft(
        KNOWN, first.plan, ALL, measure=lambda asked: {one.key: first.facts.measured[one.key] for one in asked}
    )
    assert again.plan == first.plan


@pytest.mark.parametrize(
    ("known", "weights", "why"),
    [
        (MEMBRANES, (), "no pretrained weights were given"),
        (HIPPOCAMPUS, (WEIGHTS,), "these patches are in 3-D"),
        (masks((64, 64), channels=4), (WEIGHTS,), "these images have 4"),
        (MEMBRANES, (replace(WEIGHTS, maps=((512, 32),)),), "no maps of several sizes"),
    ],
)
def test_what_it_is_not_for_is_told_apart(known: Brief, weights: tuple[WeightsFacts, ...], why: str) -> None:
    known = with_weights(known, *weights)
    said = TIP.decide(known, start_masks(known))
    assert isinstance(said, Skipped) and why in said.because
