"""A pretrained encoder in a draft: the last rung, with a rate and a patch that fit it."""

from tests.tips.known_briefs import found
from tests.tips.known_masks import MEMBRANES, WEIGHTS, start_masks, with_weights

from fieldcraft.plan.schema import EncodedUNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips import ALL
from fieldcraft.tips.draft import Draft, draft
from fieldcraft.tips.interface import Measurement, MemoryNeed
from fieldcraft.tips.mask_optimiser import RATE

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
