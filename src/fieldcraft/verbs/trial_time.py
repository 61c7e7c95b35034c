"""How long the trials of a proof are planned to take."""

from fieldcraft.errors import BudgetError
from fieldcraft.proof.schedule import SCREENED_FROM

PAIRS = 7
"""That the front of the ranking and the controls should come to."""
FRONT = 6
"""Factors that are confirmed, about, when many are ranked first."""
USED = 0.8
"""Of the budget: the rest goes to facts, plans, starts and the last look."""
OVERHEAD = 1.15
"""Of a trial, as a factor on its training: parting, scoring, timing a prediction."""
LEAST_S = 0.5
LEAST_STEPS = 100
"""Of a trial's training, for it to say anything."""


def trial_seconds(budget_s: float, workers: int, factors: int, most_s: float) -> float:
    """Seconds of training in a trial, so that screening, the front's pairs and the controls fit into the budget."""
    front = min(factors, FRONT)
    screening = 2 * factors if factors >= SCREENED_FROM else 0
    trainings = screening + PAIRS * (front + 3)
    return min(most_s, max(LEAST_S, USED * budget_s * workers / trainings / OVERHEAD))


def check_trial_budget(trial_s: float, budget_s: float, workers: int) -> None:
    """Raises: BudgetError when not even one pair of trials fits."""
    least = 2 * trial_s * OVERHEAD / USED / min(2, workers)
    if least > budget_s:
        raise BudgetError(
            f"a pair of trainings takes about {2 * trial_s / min(2, workers):.2g} s, so that a budget of {budget_s:g} "
            f"s has no room for one. The least is about {least:.2g} s; a verdict takes several pairs of each tip."
        )
