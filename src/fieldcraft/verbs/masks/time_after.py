"""Time for what follows the training of a network of masks: whole cases are predicted, by one network or by several."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from fieldcraft.plan.schema import Plan
from fieldcraft.verbs.masks.last_steps import MOST_REFINED
from fieldcraft.verbs.masks.samples import MaskSamples

AVERAGED_SHARE = 0.1
"""Of the budget, kept at most for the predictions of those networks that are averaged with the best one."""
PREDICTING = 0.7
"""Share of the time that is left, for the predictions of an average."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """How many cases are predicted once the training of a rung has ended."""

    own: int
    """Cases of validation, by the rung and those above it."""
    returned: int
    """Cases that the returned model is asked for."""
    averaged: int
    """Cases that each network of an average is asked for: validation once more, and the same."""
    networks: int
    """That may be averaged; 1: none."""

    def seconds(self, case_s: float, budget_s: float) -> float:
        """What is kept, if a case takes so long; nothing for averages where that would not do for two networks."""
        alone_s = (self.own + self.returned) * case_s
        limit_s = AVERAGED_SHARE * budget_s
        two_s, all_s = (self._more_s(count, case_s) for count in (2, self.networks))
        return alone_s + (min(all_s, limit_s) if self.networks > 1 and two_s <= limit_s else 0.0)

    def _more_s(self, networks: int, case_s: float) -> float:
        """What lets so many networks predict within their share of what is left, beyond the time for one."""
        return (networks * self.averaged / PREDICTING - self.returned) * case_s


def predictions_after(index: int, plan: Plan, samples: MaskSamples) -> Predictions:
    """What follows a rung of the plan."""
    rungs, validation = len(plan.ladder.rungs), len(samples.parts.validation)
    return Predictions(
        own=(rungs - index) * validation,
        returned=_returned(samples),
        averaged=_averaged(samples),
        networks=rungs if plan.ladder.ensemble != "none" else 1,
    )


def fitting(case_s: float, left_s: float, samples: MaskSamples) -> int:
    """How many networks can be averaged in the time that is left, if one predicts a case in so many seconds."""
    return int(PREDICTING * left_s / (case_s * _averaged(samples)))


def _returned(samples: MaskSamples) -> int:
    """Some of validation, for last steps, and the test part."""
    return min(len(samples.parts.validation), MOST_REFINED) + len(samples.parts.test)


def _averaged(samples: MaskSamples) -> int:
    return len(samples.parts.validation) + _returned(samples)


def warm_seconds(act: Callable[[], object]) -> float:
    """How long something takes the second time: the first one is slower."""
    act()
    began = time.monotonic()
    act()
    return time.monotonic() - began
