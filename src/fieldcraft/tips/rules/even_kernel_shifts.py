"""A kernel of even width moves the map by half a pixel.

Why: an even window has no middle. At stride 1, each such step shifts what the units see by half a pixel to one side,
and the map gets one larger or smaller; skip connections around it join places that do not belong together.

Example:
    self.conv = nn.Conv2d(64, 64, 4, padding=1)

Instead:
    self.conv = nn.Conv2d(64, 64, 3, padding=1)

Leave it: with a stride of the same parity (2x2 at stride 2, 4x4 at stride 2), where the middle lies right; in causal
nets, which look to one side on purpose; where two shifts undo each other.
Source: Wu et al. 2019, "Convolution with even-sized kernels and symmetric padding", arXiv:1903.08385.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Pad
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import by_line, by_times, map_after, passes_on


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that such convolutions were called on."""
    for rows in by_line(row for row in anatomy.rows if _shifted(anatomy, row)):
        conv = rows[0].operation
        assert isinstance(conv, Convolution)
        one = len(rows) == 1
        yield RULE.finding(
            f"{named_rows(rows)} {'has a' if one else 'have'} {by_times(conv.kernel)} "
            f"{'kernel' if one else 'kernels'} at "
            f"stride 1: the map moves by half a pixel{'' if one else ' at each'}",
            remedy="use odd kernels",
            rows=rows,
            numbers={"shift_px": 0.5, "convolutions": len(rows)},
        )


def _shifted(anatomy: Anatomy, row: Row) -> tuple[int, ...]:
    """The axes along which a convolution shifts without meaning to."""
    conv = row.operation
    if not isinstance(conv, Convolution) or conv.transposed or not row.inputs:
        return ()
    sizes = map_after(anatomy, row, len(conv.kernel))
    return tuple(
        axis
        for axis, (kernel, stride, dilation) in enumerate(zip(conv.kernel, conv.stride, conv.dilation, strict=True))
        if stride == 1 and (kernel - 1) * dilation % 2 == 1 and sizes[axis] > 1 and not _causal(anatomy, row, conv)
    )


def _causal(anatomy: Anatomy, row: Row, conv: Convolution) -> bool:
    """Along time: padded on one side only, or by the whole kernel, the end being cut off later."""
    if len(conv.kernel) != 1:
        return False
    reach = (conv.kernel[0] - 1) * conv.dilation[0]
    earlier = next(anatomy.before(row), None)
    while earlier is not None and passes_on(earlier):
        earlier = next(anatomy.before(earlier), None)
    if earlier is not None and isinstance(earlier.operation, Pad):
        return 0 in (earlier.operation.before[-1], earlier.operation.after[-1])
    return conv.padding[0] >= reach


RULE = Rule(code="FC007", name="even-kernel-shifts", severity=Severity.WARNING, check=check)
