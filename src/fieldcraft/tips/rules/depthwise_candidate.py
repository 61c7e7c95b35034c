"""Dense convolutions with many channels take most of the multiply-adds; depthwise separable ones would take a ninth.

Why: a k x k step for each channel and a 1x1 step across them cost 1/channels + 1/k^2 of the dense convolution.
MobileNet lost one point of accuracy on ImageNet with an eighth of the multiply-adds.

Example:
    nn.Conv2d(256, 256, 3, padding=1)

Instead:
    nn.Conv2d(256, 256, 3, padding=1, groups=256, bias=False), nn.BatchNorm2d(256), nn.ReLU(), nn.Conv2d(256, 256, 1)

Leave it: on a GPU, where depthwise steps wait for memory and the time saved is far less than the multiply-adds, and
when accuracy counts more than cost.
Rewrite: depthwise-separable starts from the best separable approximation of the weights; the function changes.
Source: Howard et al. 2017, arXiv:1704.04861, section 3.1 and table 4.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import by_times

MANY = 64
"""Channels in and out."""
MOST = 0.5


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    rows = [row for row in anatomy.rows if _dense(row)]
    now = sum(row.cost.macs or 0 for row in rows)
    if not rows or now < MOST * anatomy.macs:
        return
    then = sum((row.cost.macs or 0) * _left(row) for row in rows)
    assert isinstance(rows[0].operation, Convolution)
    yield RULE.finding(
        f"{len(rows)} dense convolutions of {by_times(rows[0].operation.kernel)} and more take "
        f"{now / anatomy.macs:.0%} of the multiply-adds; depthwise separable ones would bring the network from "
        f"{anatomy.macs / 1e6:,.0f} M to {(anatomy.macs - now + then) / 1e6:,.0f} M",
        remedy="make them depthwise separable, where the network runs on a CPU or a phone",
        rows=rows,
        numbers={"layers": len(rows), "macs_share": now / anatomy.macs, "macs": now, "macs_after": then},
    )


def _dense(row: Row) -> bool:
    conv = row.operation
    if not isinstance(conv, Convolution) or conv.transposed or conv.groups > 1 or not row.inputs:
        return False
    return sum(size >= 3 for size in conv.kernel) >= 2 and min(conv.inputs, conv.outputs) >= MANY


def _left(row: Row) -> float:
    conv = row.operation
    assert isinstance(conv, Convolution)
    return 1 / conv.outputs + 1 / prod(conv.kernel)


RULE = Rule(
    code="FC028", name="depthwise-candidate", severity=Severity.INFO, check=check, rewrite="depthwise-separable"
)
