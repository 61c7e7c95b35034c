"""What a CRF and filters of components did to masks, and whether they were kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldcraft.records.masks import Refinement
from fieldcraft.records.results import Estimate
from fieldcraft.report.mask_measures import Measures
from fieldcraft.report.page import Table, columns
from fieldcraft.report.wording import MINUS, number


@dataclass(frozen=True)
class LastSteps:
    """Each in words, and what it changed."""

    told: tuple[str, ...]
    changes: Table


def last_steps(found: Sequence[Refinement], measures: Measures) -> LastSteps | None:
    """None where none was tried."""
    if not found:
        return None
    told = tuple(
        f"{one.name}: {'kept' if one.kept else 'not kept'}. Best of the {one.candidates} tried: {one.chosen}."
        + ("" if _gain(one) is not None else f" {one.because[:1].upper()}{one.because[1:]}.")
        for one in found
    )
    rows = [
        (
            f"{one.name}, {measures[name].label}",
            number(change.before),
            number(change.after),
            _change(change.gain),
        )
        for one in found
        for name, change in one.changes.items()
    ]
    titles = columns("Last step and measure", "#Before", "#After", "#Gain, 95 % interval")
    caption = (
        "On validation, cross-fitted; a step is kept only where the gain in its first measure has an interval above "
        "zero. A gain is above zero where it is better, also of distances."
    )
    return LastSteps(told, Table(caption, titles, tuple(rows)))


def _gain(one: Refinement) -> Estimate | None:
    return next(iter(one.changes.values())).gain if one.changes else None


def _change(gain: Estimate | None) -> str:
    if gain is None:
        return "–"
    return f"{_signed(gain.low)} to {_signed(gain.high)}" if gain.low or gain.high else "no change"


def _signed(value: float) -> str:
    return f"{value:+.2g}".replace("-", MINUS) if value else "0"
