"""The decoder gets nothing from the encoder's finer maps.

Why: what was lost by downsampling cannot be put back by upsampling, so borders come out blurred. Maps of the encoder,
concatenated or added where the decoder reaches their resolution, bring the detail past the bottleneck.

Example:
    x = self.up(self.middle(self.down(x)))

Instead:
    fine = self.first(x)
    x = self.last(torch.cat([self.up(self.middle(self.down(fine))), fine], 1))

Leave it: in autoencoders, whose bottleneck is the point; a network that gives as many channels as it gets is taken for
one and this is information. Dilated networks that only resize their answer by 8 or less are not mentioned.
Source: Ronneberger et al. 2015, arXiv:1505.04597; Drozdzal et al. 2016, arXiv:1608.04117.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Resize
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import by_times
from fieldcraft.tips.rules.maps import input_map, looks_around, upsamples

LEARNED, RESIZED = 8, 16
"""Input over bottleneck from which on it is said, for decoders that learn and for answers that are only resized."""
DENSE = 4
"""An output whose map is at least the input over this is dense."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    ups = [row for row in anatomy.rows if upsamples(row) and row.inputs]
    decoder = _reached(anatomy, ups)
    entries = [row for row in ups if not any(maker.index in decoder for maker in anatomy.before(row))]
    if not entries or len({_map(anatomy, row.inputs[0], _axes(anatomy, row)) for row in entries}) > 1:
        return
    axes = _axes(anatomy, entries[0])
    whole, least = input_map(anatomy, axes), _map(anatomy, entries[0].inputs[0], axes)
    if whole is None or not _dense(anatomy, decoder, whole):
        return
    ratio = min(before / after for before, after in zip(whole, least, strict=True))
    learned = [row for row in anatomy.rows if row.index in decoder and _learns(row)]
    if ratio < (LEARNED if learned else RESIZED) or _skips(anatomy, decoder, least):
        return
    yield RULE.finding(
        f"the map goes from {by_times(whole)} down to {by_times(least)} and back up, and no finer map of the encoder "
        f"reaches the decoder: detail below {ratio:.0f} px is lost",
        remedy="concatenate or add the encoder's map wherever the decoder reaches its resolution",
        rows=entries,
        numbers={"downsampling": ratio},
        severity=Severity.INFO if _reconstructs(anatomy, axes) else Severity.WARNING,
    )


def _reached(anatomy: Anatomy, rows: list[Row]) -> dict[int, Row]:
    """These rows and all that they reach."""
    found = {row.index: row for row in rows}
    waiting = list(rows)
    while waiting:
        for one in anatomy.after(waiting.pop()):
            if one.index not in found:
                found[one.index] = one
                waiting.append(one)
    return found


def _skips(anatomy: Anatomy, decoder: dict[int, Row], least: tuple[int, ...]) -> bool:
    """Something finer than the bottleneck comes in from outside of the decoder."""
    for row in decoder.values():
        for value in row.inputs:
            maker = anatomy.maker.get(value)
            outside = maker is None or maker.index not in decoder
            if outside and prod(anatomy.shape(value)[-len(least) :]) > prod(least):
                return True
    return False


def _dense(anatomy: Anatomy, decoder: dict[int, Row], whole: tuple[int, ...]) -> bool:
    for value in anatomy.outputs:
        maker, shape = anatomy.maker.get(value), anatomy.shape(value)
        if maker is not None and maker.index in decoder and len(shape) == len(whole) + 2:
            return all(DENSE * now >= px for now, px in zip(shape[2:], whole, strict=True))
    return False


def _reconstructs(anatomy: Anatomy, axes: int) -> bool:
    came = next(shape for one in anatomy.inputs if len(shape := anatomy.shape(one)) == axes + 2)
    return any(anatomy.shape(one)[1:2] == came[1:2] for one in anatomy.outputs)


def _learns(row: Row) -> bool:
    return looks_around(row) or (isinstance(row.operation, Convolution) and row.operation.transposed)


def _axes(anatomy: Anatomy, row: Row) -> int:
    match row.operation:
        case Convolution(kernel=kernel):
            return len(kernel)
        case Resize(before=before):
            return len(before)
        case _:
            return len(anatomy.shape(row.inputs[0])) - 2


def _map(anatomy: Anatomy, value: int, axes: int) -> tuple[int, ...]:
    return anatomy.shape(value)[-axes:]


RULE = Rule(code="FC014", name="no-skip-to-decoder", severity=Severity.WARNING, check=check)
