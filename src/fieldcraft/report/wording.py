"""Numbers and units in words: how values are written on the page."""

import math

from fieldcraft.records.results import Estimate

THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def number(value: float, digits: int = 3) -> str:
    """`value` with about `digits` significant digits, thousands parted by commas; never in exponents up to 1e12."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else (f"{MINUS}∞" if value < 0 else "∞")
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -5 <= size < 12:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    decimals = max(0, digits - 1 - size)
    text = f"{value:,.{decimals}f}"
    return text.replace("-", MINUS)


def whole(value: float) -> str:
    """A count, thousands parted by commas."""
    return f"{value:,.0f}".replace("-", MINUS)


def percent(share: float, decimals: int = 1) -> str:
    """A share as per cent."""
    if not math.isfinite(share):
        return number(share)
    return f"{100 * share:.{decimals}f}{THIN}%".replace("-", MINUS)


def seconds(value: float) -> str:
    """A duration, in the unit that suits it."""
    if value < 0.1:
        return f"{value * 1000:.0f}{THIN}ms"
    if value < 10:
        return f"{value:.1f}{THIN}s"
    if value < 120:
        return f"{value:.0f}{THIN}s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes}{THIN}min {rest}{THIN}s" if rest else f"{minutes}{THIN}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{THIN}h {minutes}{THIN}min" if minutes else f"{hours}{THIN}h"


def mebibytes(value: float) -> str:
    """Memory, in KiB, MiB or GiB."""
    if 0 < value < 1:
        return f"{max(1, round(value * 1024))}{THIN}KiB"
    if value < 10:
        return f"{value:.1f}{THIN}MiB" if value else f"0{THIN}MiB"
    return f"{value / 1024:.1f}{THIN}GiB" if value >= 1024 else f"{value:.0f}{THIN}MiB"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`count` with its noun: "1 sample", "2 samples"."""
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def estimate(value: Estimate, share: bool) -> tuple[str, str]:
    """A number and its interval, with as many decimals as the interval supports: "98.6 %", "97.4 to 99.5 %"."""
    scale, unit = (100.0, f"{THIN}%") if share else (1.0, "")
    middle, low, high = (scale * bound for bound in (value.value, value.low, value.high))
    if not all(map(math.isfinite, (middle, low, high))):
        return number(middle) + unit, f"{number(low)} to {number(high)}{unit}"
    if value.alone:
        return (f"{middle:,.1f}{unit}".replace("-", MINUS) if share else number(middle)), "one group: no interval"
    width = high - low or abs(middle) or 1.0
    decimals = min(max(1 if share else 0, 1 - math.floor(math.log10(width))), 6)
    shown = [f"{bound:,.{decimals}f}".replace("-", MINUS) for bound in (middle, low, high)]
    return shown[0] + unit, f"{shown[1]} to {shown[2]}{unit}"


def shortened(text: str, most: int) -> str:
    """`text`, cut in its middle when it has more than `most` characters."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"
