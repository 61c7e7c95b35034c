"""What a factor costs: plain 95 % intervals of paired differences. They decide nothing, so nothing corrects them."""

from collections.abc import Sequence
from statistics import fmean, stdev

from scipy.stats import t

from fieldcraft.proof.pairing import Both
from fieldcraft.records.proof import Between, Cost, CostDifference

LEVEL = 0.95


def plain_interval(differences: Sequence[float]) -> Between | None:
    """Mean and t interval of one look; None for fewer than two differences."""
    n = len(differences)
    if n < 2:
        return None
    value = fmean(differences)
    half = float(t.ppf((1 + LEVEL) / 2, n - 1)) * stdev(differences) / n**0.5
    return Between(value=value, low=value - half, high=value + half, pairs=n)


def cost_difference(pairs: Sequence[Both]) -> CostDifference:
    """On minus off, over the pairs of which both trials were measured and gave a score."""
    costs = [(both.on.cost, both.off.cost) for both in pairs if both.counts]

    def of(name: str) -> Between | None:
        known = ((_number(on, name), _number(off, name)) for on, off in costs)
        return plain_interval([on - off for on, off in known if on is not None and off is not None])

    return CostDifference(
        seconds=of("seconds"), memory_mib=of("memory_mib"), parameters=of("parameters"), latency_ms=of("latency_ms")
    )


def _number(cost: Cost, name: str) -> float | None:
    found: float | None = getattr(cost, name)
    return found
