"""Dilated convolutions in a row whose rates share a factor leave a grid of pixels unseen or apart.

Why: with rates 2, 4, 8 each output adds up every second pixel only, and its neighbour the other ones: results change
like a chess board, and detail between the taps is lost. It is a warning where pixels inside of the receptive field are
not seen at all, and information where the same rate stands three times in a row or more after dense layers.

Example:
    conv(dilation=2), conv(dilation=4), conv(dilation=8)

Instead:
    conv(dilation=1), conv(dilation=2), conv(dilation=5)  # no common factor, repeated as a group

Leave it: when rates that begin at 1 and at most grow by the kernel's size see every pixel, as WaveNet's do (it is not
mentioned then), and with trained weights.
Source: Wang et al. 2018, arXiv:1702.08502, section 3.2; Yu et al. 2017, arXiv:1705.09914.
"""

from collections.abc import Iterator
from itertools import groupby
from math import gcd

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.maps import looks_around
from fieldcraft.tips.rules.taps import Taps, taps

RUN = 2
REPEATED = 3


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for pixels that are not seen, one for rates that are repeated."""
    runs = [run for run in _runs(anatomy) if len(run) >= RUN and common_factor(run) > 1]
    holes = [(run, seen) for run in runs if (seen := _seen(anatomy, run[-1])) is not None and seen.share < 1]
    for run, seen in holes[:1]:
        rows = [row for each, _ in holes for row in each]
        yield RULE.finding(
            f"rates {_rates(run)} share the factor {common_factor(run)}: a unit sees {seen.share:.0%} of the "
            f"{seen.span} px along an axis of its field, with holes between",
            remedy="choose rates without a common factor, such as 1, 2, 5, or put an undilated convolution before",
            rows=rows,
            numbers={"factor": common_factor(run), "seen": seen.share, "span_px": seen.span},
        )
    rest = [run for run in runs if all(run is not each for each, _ in holes)]
    dense = [run for run in map(_repeated, rest) if len(run) >= REPEATED]
    if dense:
        longest = max(dense, key=len)
        yield RULE.finding(
            f"{len(longest)} convolutions in a row have the rate {rate(longest[0])}: neighbouring units are made of "
            "different units of the layers before",
            remedy=f"vary the rate within each group, such as {_varied(rate(longest[0]))}",
            rows=[row for run in dense for row in run],
            numbers={"factor": rate(longest[0]), "layers": len(longest)},
            severity=Severity.INFO,
        )


def rate(row: Row) -> int:
    """Of a convolution, the smallest along the axes on which its kernel is wider than one."""
    conv = row.operation
    assert isinstance(conv, Convolution)
    return min(rate for rate, size in zip(conv.dilation, conv.kernel, strict=True) if size > 1)


def common_factor(run: list[Row]) -> int:
    """Of all rates."""
    return gcd(*(rate(row) for row in run))


def _runs(anatomy: Anatomy) -> list[list[Row]]:
    """Dilated convolutions that follow each other with nothing that looks around between them, on the deepest way."""
    running: dict[int, list[Row]] = {}
    ended: dict[int, list[Row]] = {}
    for row in anatomy.rows:
        run = max((running.get(value, []) for value in row.inputs), key=len, default=[])
        if looks_around(row):
            for one in run[-1:]:
                ended.pop(one.index, None) if rate(row) > 1 else None
            run = [*run, row] if rate(row) > 1 else []
            if run:
                ended[row.index] = run
        running.update(dict.fromkeys(row.outputs, run))
    return list(ended.values())


def _repeated(run: list[Row]) -> list[Row]:
    """The longest part with one rate."""
    return max((list(part) for _, part in groupby(run, rate)), key=len)


def _seen(anatomy: Anatomy, row: Row) -> Taps | None:
    """Along the first axis on which its kernel is dilated."""
    conv = row.operation
    assert isinstance(conv, Convolution)
    axis = next(at for at, size in enumerate(conv.kernel) if size > 1)
    return taps(anatomy, axis, len(conv.kernel)).get(row.outputs[0])


def _rates(run: list[Row]) -> str:
    shown = [str(rate(row)) for row in run]
    return ", ".join(shown) if len(shown) <= 6 else f"{', '.join(shown[:5])}, ... ({len(shown)} layers)"


def _varied(middle: int) -> str:
    return f"{max(1, middle - 1)}, {middle}, {middle + 1}"


RULE = Rule(code="FC018", name="gridding", severity=Severity.WARNING, check=check)
