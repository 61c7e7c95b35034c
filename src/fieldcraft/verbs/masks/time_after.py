"""Time for what follows the training of a network of masks: whole cases are predicted, by one network or by several."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from fieldcraft.plan.schema import Plan
from fieldcraft.verbs.masks.last_steps import MOST_REFINED
from fieldcraft.verbs.masks.samples import MaskSamples

AVERAGED_SHARE = 0.1
"""Of the budget, kept at most for the predictions of those networks that are averaged with the best one."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Cases that are predicted once a rung has ended."""

    cases: int
    """By one network each, whichever is returned."""
    averaged: int
    """By the others, should all of them be averaged."""

    def seconds(self, case_s: float, budget_s: float) -> float:
        """What is kept for them where a case takes so long."""
        return self.cases * case_s + min(self.averaged * case_s, AVERAGED_SHARE * budget_s)


def predictions_after(index: int, plan: Plan, samples: MaskSamples) -> Predictions:
    """Validation by a rung and by those above it, and what is asked of the model that is returned.

    Networks that are averaged answer the validation part once more, and all that is asked of the returned model.
    """
    rungs, validation = len(plan.ladder.rungs), len(samples.parts.validation)
    returned = asked_at_the_end(samples)
    averaged = rungs * validation + (rungs - 1) * returned if plan.ladder.ensemble != "none" and rungs > 1 else 0
    return Predictions(cases=(rungs - index) * validation + returned, averaged=averaged)


def asked_at_the_end(samples: MaskSamples) -> int:
    """Cases that the returned model predicts: some of validation, for last steps, and the test part."""
    return min(len(samples.parts.validation), MOST_REFINED) + len(samples.parts.test)


def warm_seconds(act: Callable[[], object]) -> float:
    """How long something takes the second time: the first one is slower."""
    act()
    began = time.monotonic()
    act()
    return time.monotonic() - began
