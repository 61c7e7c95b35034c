"""How many samples a measurement may look at."""


def affordable(limit_s: float, *, seconds_a_thousand: float, power: float, least: int, most: int) -> int:
    """Samples that are done within the limit, when a thousand take so long and the time grows with their power.

    By arithmetic, not by the clock: equal limits give equal facts on any machine.
    """
    found = 1000 * (max(limit_s, 0.0) / seconds_a_thousand) ** (1 / power)
    return int(min(most, max(least, found)))
