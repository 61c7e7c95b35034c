"""The dilation is as large as the map, so that all taps but the middle one fall on padding.

Why: a 3x3 kernel whose rate reaches the side of the map is a 1x1 kernel with nine times the weights: its outer weights
meet zeros at every position and never learn. DeepLab found this with large rates in its pyramid and added pooling.

Example:
    nn.Conv2d(256, 256, 3, dilation=36, padding=36)  # on a map of 28x28

Instead:
    rates below the side of the map (6, 12, 18 for 28x28), and global pooling for the whole context

Leave it: when the network will run on larger inputs than the one that was traced.
Source: Chen et al. 2017, arXiv:1706.05587, section 3.3 and figure 4.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import by_times, map_before
from fieldcraft.tips.rules.maps import looks_around


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for all such layers."""
    rows = [row for row in anatomy.rows if looks_around(row) and _degenerates(anatomy, row)]
    if not rows:
        return
    worst = max(rows, key=_rate)
    side = map_before(anatomy, worst, _axes(worst))
    yield RULE.finding(
        f"{named_rows(rows)}: the rate {_rate(worst)} on a map of {by_times(side)} lets only the middle tap "
        "meet the map",
        remedy=f"use rates below {min(side)}, larger inputs, or global pooling for the context",
        rows=rows,
        numbers={"rate": _rate(worst), "map": min(side), "wasted_weights": sum(_wasted(row) for row in rows)},
    )


def _degenerates(anatomy: Anatomy, row: Row) -> bool:
    conv = row.operation
    assert isinstance(conv, Convolution)
    sides = map_before(anatomy, row, len(conv.kernel))
    wide = [
        (rate, side)
        for rate, size, side in zip(conv.dilation, conv.kernel, sides, strict=True)
        if size > 1 and size % 2 and rate > 1
    ]
    return bool(wide) and all(rate >= side for rate, side in wide)


def _rate(row: Row) -> int:
    assert isinstance(row.operation, Convolution)
    return max(row.operation.dilation)


def _axes(row: Row) -> int:
    assert isinstance(row.operation, Convolution)
    return len(row.operation.kernel)


def _wasted(row: Row) -> int:
    conv = row.operation
    assert isinstance(conv, Convolution)
    taps = 1
    for size in conv.kernel:
        taps *= size
    return conv.inputs * conv.outputs // conv.groups * (taps - 1)


RULE = Rule(code="FC019", name="dilation-wider-than-map", severity=Severity.WARNING, check=check)
