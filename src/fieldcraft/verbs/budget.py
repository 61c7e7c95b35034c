"""A budget as people write it: 60s, 10m, 1h30m, or a number of seconds."""

import math
import re

from fieldcraft.errors import BudgetError

SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
WRITTEN = re.compile(r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?", re.ASCII)


def seconds(budget: str | float | None) -> float | None:
    """The budget in seconds; None means no limit.

    Raises: BudgetError when it cannot be read or is not above zero.
    """
    if budget is None:
        return None
    found = _written(budget) if isinstance(budget, str) else float(budget)
    if not (math.isfinite(found) and found > 0):
        raise BudgetError(f"a budget must be longer than zero seconds and end some time, but got {budget!r}.")
    return found


def _written(budget: str) -> float:
    text = budget.strip().lower().replace(" ", "")
    parts = WRITTEN.fullmatch(text)
    if not text or parts is None:
        raise BudgetError(f"a budget is written like 60s, 10m, 1h30m or 90 (seconds), but got {budget!r}.")
    return sum(float(amount) * SECONDS[unit] for unit, amount in parts.groupdict().items() if amount)
