"""A transposed convolution whose kernel is no multiple of its stride draws a checkerboard.

Why: where the kernel is no multiple of the stride, some output pixels are the sum of more products than their
neighbours (at 3x3 and stride 2 one, two or four), so that a pattern with the period of the stride lies over every
result, and the weights must learn to undo it.

Example:
    self.up = nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)

Instead:
    self.up = nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1)

or
    self.up = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(64, 32, 3, padding=1))

Leave it: when several convolutions follow that smooth the pattern, and the output is no image.
Source: Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts", Distill, doi:10.23915/distill.00003.
"""

from collections import Counter
from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import by_line, by_times


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that such convolutions were called on."""
    for rows in by_line(row for row in anatomy.rows if _uneven(row)):
        conv = rows[0].operation
        assert isinstance(conv, Convolution)
        taps = [sums(*axis) for axis in zip(conv.kernel, conv.stride, conv.dilation, strict=True)]
        least, most = _product(min(one) for one in taps), _product(max(one) for one in taps)
        yield RULE.finding(
            f"{named_rows(rows)}: a {by_times(conv.kernel)} kernel at stride {by_times(conv.stride)} adds "
            f"{least} to {most} "
            f"products up for an output pixel, depending on where it lies",
            remedy="take a kernel that is a multiple of the stride, or resize and convolve",
            rows=rows,
            numbers={"products_least": least, "products_most": most},
        )


def sums(kernel: int, stride: int, dilation: int = 1) -> tuple[int, ...]:
    """How many taps fall on an output pixel, for each of its places within a stride."""
    places = Counter(tap * dilation % stride for tap in range(kernel))
    return tuple(places[place] for place in range(stride))


def _uneven(row: Row) -> bool:
    conv = row.operation
    return (
        isinstance(conv, Convolution)
        and conv.transposed
        and any(len(set(sums(*axis))) > 1 for axis in zip(conv.kernel, conv.stride, conv.dilation, strict=True))
    )


def _product(numbers: Iterator[int]) -> int:
    result = 1
    for number in numbers:
        result *= number
    return result


RULE = Rule(code="FC020", name="checkerboard", severity=Severity.WARNING, check=check)
