"""How long the trials of a proof are planned to take."""

from fieldcraft.errors import BudgetError
from fieldcraft.proof.schedule import SCREENED_FROM

PAIRS = 7
"""That the front of the ranking and the controls should come to."""
FRONT = 6
"""Factors that are confirmed, about, when many are ranked first."""
USED = 0.8
"""Of the budget: the rest goes to facts, plans, starts and the last look."""
OVERHEAD, MASK_OVERHEAD = 1.15, 1.4
"""Of a trial, as a factor on its training: parting, scoring, timing a prediction; of masks predicting whole cases."""
MARGIN = 0.002
"""Of metrics between 0 and 1: 0.2 points."""
LEAST_S = 0.5
LEAST_STEPS = 100
"""Of a trial's training, for it to say anything."""


def trial_seconds(budget_s: float, workers: int, factors: int, most_s: float, overhead: float = OVERHEAD) -> float:
    """Seconds of training in a trial, so that screening, the front's pairs and the controls fit into the budget."""
    front = min(factors, FRONT)
    screening = 2 * factors if factors >= SCREENED_FROM else 0
    trainings = screening + PAIRS * (front + 3)
    return min(most_s, max(LEAST_S, USED * budget_s * workers / trainings / overhead))


def check_trial_budget(trial_s: float, budget_s: float, workers: int, overhead: float = OVERHEAD) -> None:
    """Raises: BudgetError when not even one pair of trials fits."""
    least = 2 * trial_s * overhead / USED / min(2, workers)
    if least > budget_s:
        raise BudgetError(
            f"a pair of trainings takes about {_digits(2 * trial_s / min(2, workers))} s, so that a budget of "
            f"{budget_s:g} s has no room for one. The least is about {_digits(least)} s; a verdict takes several pairs "
            "of each tip."
        )


def _digits(value: float) -> str:
    """Two digits, never as a power of ten."""
    return f"{float(f'{value:.2g}'):,g}"
