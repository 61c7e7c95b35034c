"""Most of the multiply-adds of a classifier are spent at the full resolution of the input.

Why: a layer at full resolution costs four times as much as after a halving (eight times in 3-D), and its receptive
field grows by one kernel only. Where one answer for the whole input is wanted, most of what it computes is averaged.

Example:
    eight 3x3 convolutions with 64 channels on 128x128 px, then global pooling

Instead:
    stride 2 (or pooling) after every second one, with twice the channels

Leave it: when single pixels decide, or the inputs are that small. Dilated networks over series keep their resolution on
purpose; of them this is only said as information.
Source: He and Sun 2014, arXiv:1412.1710 ("Convolutional neural networks at constrained time cost"), section 3.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import by_times
from fieldcraft.tips.rules.maps import classifies, halvings, input_map

MOST = 0.6
SMALL_PX = 64
"""Inputs below it are left alone."""
LEAST_LAYERS = 3


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    if not classifies(anatomy):
        return
    rows = [row for row in anatomy.rows if isinstance(row.operation, Convolution) and halvings(anatomy, row) == 0]
    if len(rows) < LEAST_LAYERS:
        return
    whole = input_map(anatomy, _axes(rows[0]))
    share = sum(row.cost.macs or 0 for row in rows) / max(1, anatomy.macs)
    if whole is None or max(whole) < SMALL_PX or share < MOST:
        return
    yield RULE.finding(
        f"{len(rows)} convolutions at the full {by_times(whole)} positions of the input take {share:.0%} of the "
        "multiply-adds of a network that gives one answer for all of it",
        remedy="halve the map by stride or pooling after the first few convolutions, and double the channels there",
        rows=rows,
        numbers={"layers": len(rows), "macs_share": share, "input_px": max(whole)},
        severity=Severity.WARNING if _axes(rows[0]) > 1 and not any(map(_dilated, rows)) else Severity.INFO,
    )


def _axes(row: Row) -> int:
    assert isinstance(row.operation, Convolution)
    return len(row.operation.kernel)


def _dilated(row: Row) -> bool:
    return isinstance(row.operation, Convolution) and max(row.operation.dilation) > 1


RULE = Rule(code="FC012", name="downsampling-too-late", severity=Severity.WARNING, check=check)
