"""How many samples a measurement may look at."""

READ_S = 1e-8
"""For one number of a sample to be read, averaged and looked at."""


def affordable(limit_s: float, values: int, *, seconds_a_thousand: float, power: float, least: int, most: int) -> int:
    """Samples of so many values that are done within the limit, half of it for reading them.

    A thousand take `seconds_a_thousand` once they are read, and the time grows with their number to the `power`. By
    arithmetic, not by the clock: equal limits give equal facts on any machine.
    """
    half = max(limit_s, 0.0) / 2
    counted = 1000 * (half / seconds_a_thousand) ** (1 / power)
    return int(max(least, min(most, counted, half / (READ_S * max(1, values)))))
