"""The map is halved twice or more and the channels do not grow: a representational bottleneck.

Why: each halving of a 2-D map takes three quarters of the numbers away. Without more channels the network has to throw
away what it knows at a fixed rate, however many layers stand between.

Example:
    nn.Conv2d(32, 32, 3, stride=2, padding=1)  # four times in a row, 32 channels all along

Instead:
    nn.Conv2d(32, 64, 3, stride=2, padding=1)  # then 64 to 128, ...

Leave it: when the answer needs few numbers, and latency decides. Networks that are 256 channels wide before it are not
mentioned: widths are capped there on purpose.
Source: Szegedy et al. 2015, arXiv:1512.00567, section 2 (first principle) and section 5.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.maps import halvings, on_a_map, upsamples

WIDE = 256
AT_LEAST = 2
"""Halvings without growth."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the longest run of stages without growth."""
    widest = _widest(anatomy)
    stages = sorted(widest)
    run = max(_runs(stages, widest), key=len, default=[])
    if len(run) <= AT_LEAST or _channels(widest[run[0]]) >= WIDE:
        return
    first, last = widest[run[0]], widest[run[-1]]
    times = run[-1] - run[0]
    left = _numbers(anatomy, last) / _numbers(anatomy, first)
    yield RULE.finding(
        f"the map is halved {times} times while the channels stay at {_channels(first)} (widest layer of each stage; "
        f"{_channels(last)} at the end): {left:.1%} of the numbers are left",
        remedy="double the channels where the map is halved",
        rows=[widest[stage] for stage in run],
        numbers={"halvings": times, "channels": _channels(first), "channels_after": _channels(last), "left": left},
    )


def _widest(anatomy: Anatomy) -> dict[int, Row]:
    """For each number of halvings, the convolution across channels with most of them, up to the first upsampling."""
    found: dict[int, Row] = {}
    for row in anatomy.rows:
        if upsamples(row):
            break
        conv = row.operation
        if not isinstance(conv, Convolution) or conv.depthwise or len(conv.kernel) < 2 or not on_a_map(anatomy, row):
            continue
        stage = halvings(anatomy, row)
        if stage is not None and (stage not in found or conv.outputs > _channels(found[stage])):
            found[stage] = row
    return found


def _runs(stages: list[int], widest: dict[int, Row]) -> Iterator[list[int]]:
    """Stages in a row, each no wider than the one before it."""
    run = stages[:1]
    for before, stage in pairwise(stages):
        if _channels(widest[stage]) <= _channels(widest[before]):
            run = [*run, stage]
            continue
        yield run
        run = [stage]
    yield run


def _numbers(anatomy: Anatomy, row: Row) -> int:
    return prod(anatomy.shape(row.outputs[0])[1:])


def _channels(row: Row) -> int:
    assert isinstance(row.operation, Convolution)
    return row.operation.outputs


RULE = Rule(code="FC013", name="narrow-downsampling", severity=Severity.WARNING, check=check)
