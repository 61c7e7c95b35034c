"""Convolutions without padding cut the borders of the map off, step after step.

Why: a k-wide kernel without padding loses k - 1 positions along each axis: what lies at the border is seen by fewer
units, and depth is limited by the size of the map. Five 3x3 steps at 32 px leave 22 px, less than half of the area.

Example:
    self.conv = nn.Conv2d(64, 64, 3)

Instead:
    self.conv = nn.Conv2d(64, 64, 3, padding=1)

Leave it: in nets that are slid over patches of larger images (the U-Net of 2015, DeepMedic), where zeros that no image
has would spoil the borders.
Rewrite: add-padding pads with zeros; every unit that did not exist before is new, the others stay the same.
Source: Dumoulin and Visin 2016, arXiv:1603.07285, chapter 2.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Pad
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import by_times, map_after, map_before, passes_on

SMALLEST_LOSS = 0.1
"""Share of the positions, over the whole way, below which nothing is said (stems of large images)."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network: what its unpadded convolutions cut together, along the worst way."""
    kept: dict[int, float] = {}
    cutting = []
    for row in anatomy.rows:
        share = _kept(anatomy, row)
        if share < 1:
            cutting.append(row)
        so_far = share * min((kept.get(value, 1.0) for value in row.inputs), default=1.0)
        kept.update(dict.fromkeys(row.outputs, so_far))
    lost = 1 - min((kept[row.outputs[0]] for row in cutting), default=1.0)
    if lost < SMALLEST_LOSS:
        return
    worst = min(cutting, key=lambda row: _kept(anatomy, row))
    yield RULE.finding(
        f"{named_rows(cutting)} {'cuts' if len(cutting) == 1 else 'cut'} the borders for want of padding: "
        f"{lost:.0%} of the positions are lost on the way, {1 - _kept(anatomy, worst):.0%} in "
        f"{named_rows([worst])} alone "
        f"({by_times(_before(anatomy, worst))} to {by_times(_after(anatomy, worst))})",
        remedy='pad by half of the kernel (padding="same"; with a stride, padding=kernel // 2)',
        rows=cutting,
        numbers={"lost_share": lost, "convolutions": len(cutting)},
    )


def _kept(anatomy: Anatomy, row: Row) -> float:
    """Share of the positions that a convolution could have kept at its stride; 1 where it cuts on purpose."""
    conv = row.operation
    if not isinstance(conv, Convolution) or conv.transposed or not row.inputs:
        return 1.0
    shares = []
    axes = zip(_before(anatomy, row), _after(anatomy, row), conv.kernel, conv.stride, conv.dilation, strict=True)
    for before, after, kernel, stride, dilation in axes:
        covers_map = after == 1 and (kernel - 1) * dilation + 1 >= before - stride + 1
        if kernel <= stride or covers_map:  # patches, and layers that are linear on the whole map
            shares.append(1.0)
        else:
            shares.append(min(1.0, after * stride / before))
    return prod(shares)


def _before(anatomy: Anatomy, row: Row) -> tuple[int, ...]:
    """The map before a pad that belongs to the convolution."""
    assert isinstance(row.operation, Convolution)
    axes = len(row.operation.kernel)
    earlier = next(anatomy.before(row), None)
    while earlier is not None and passes_on(earlier):
        earlier = next(anatomy.before(earlier), None)
    padded = earlier is not None and isinstance(earlier.operation, Pad)
    return map_before(anatomy, earlier if padded and earlier else row, axes)


def _after(anatomy: Anatomy, row: Row) -> tuple[int, ...]:
    assert isinstance(row.operation, Convolution)
    return map_after(anatomy, row, len(row.operation.kernel))


RULE = Rule(code="FC006", name="shrinking-borders", severity=Severity.WARNING, check=check, rewrite="add-padding")
