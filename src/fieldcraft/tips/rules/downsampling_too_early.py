"""The map has shrunk to a quarter or less before the first few convolutions, and is tiny for most of the network.

Why: stems with stride 4 were made for images of 224 px. On 32 px they leave 8x8 positions, and maps of 4x4 and less for
the layers that hold most of the weights, whose 3x3 kernels then look at padding.

Example:
    torchvision.models.resnet18() on images of 32 px

Instead:
    net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    net.maxpool = nn.Identity()

Leave it: when inputs will be larger than the one that was traced, or time matters more than accuracy.
Source: He et al. 2015, arXiv:1512.03385, section 4.2 (the CIFAR-10 networks begin with a 3x3 convolution, stride 1).
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import by_times, map_after, map_before
from fieldcraft.tips.rules.maps import input_map, looks_around, on_a_map, upsamples

FEW = 2
"""Convolutions that look around before the map may shrink that much."""
EARLY = 4
"""Pixels between positions."""
TINY = 4
"""Positions a side, and at most as many as a square of that side has (a cube has more)."""
MOST = 0.5
LEAST_LAYERS = 5


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network; networks with a decoder are left out."""
    rows = [row for row in anatomy.rows if looks_around(row)]
    if len(rows) < LEAST_LAYERS or any(upsamples(row) for row in anatomy.rows):
        return
    entry = rows[FEW]
    assert isinstance(entry.operation, Convolution)
    axes = len(entry.operation.kernel)
    whole, early = input_map(anatomy, axes), map_before(anatomy, entry, axes)
    if whole is None or any(before < EARLY * after for before, after in zip(whole, early, strict=True)):
        return
    tiny = [row for row in rows if _is_tiny(anatomy, row)]
    if len(tiny) < MOST * len(rows) or not on_a_map(anatomy, entry):
        return
    yield RULE.finding(
        f"an input of {by_times(whole)} px is down to {by_times(early)} positions after {FEW} convolutions, and "
        f"{len(tiny)} of {len(rows)} convolutions make maps of {by_times((TINY,) * min(axes, 2))} or less",
        remedy="begin with a 3x3 convolution of stride 1 and no pooling, or use larger inputs",
        rows=[entry, *(row for row in tiny if row is not entry)],
        numbers={"input_px": min(whole), "map": max(early), "tiny_share": len(tiny) / len(rows)},
        location=rows[0].location,
    )


def _is_tiny(anatomy: Anatomy, row: Row) -> bool:
    assert isinstance(row.operation, Convolution)
    sides = map_after(anatomy, row, len(row.operation.kernel))
    return max(sides) <= TINY and prod(sides) <= TINY**2


RULE = Rule(code="FC011", name="downsampling-too-early", severity=Severity.WARNING, check=check)
