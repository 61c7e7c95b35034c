"""A forest as a table: a row for each effect, drawn on one scale, with its numbers beside it."""

from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.forest import Effect, band, forest_axis, forest_row, scale_for
from fieldcraft.report.charts.svg import tick_text
from fieldcraft.report.page import Column


@dataclass(frozen=True)
class Item:
    """One row before it is drawn: its name, what stands below it, and its cells."""

    name: str
    verdict: str
    """With its glyph; empty where there is none."""
    kind: str
    under: tuple[str, ...]
    effect: Effect
    told: str
    """The effect in words, for who cannot see the drawing."""
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One row, drawn."""

    item: Item
    svg: Markup


@dataclass(frozen=True)
class Forest:
    """The whole table."""

    caption: str
    first: str
    """Title of the column of names."""
    drawn: str
    """Title of the drawn column."""
    axis: Markup
    style: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def forest(
    items: tuple[Item, ...],
    *,
    caption: str,
    first: str,
    drawn: str,
    columns: tuple[Column, ...],
    margin: float,
) -> Forest:
    """Draw the rows on a scale that suits them all; `margin` in the scale's units."""
    scale = scale_for([one.effect for one in items], margin)
    rows = tuple(Row(one, forest_row(one.effect, scale, label=one.told)) for one in items)
    return Forest(caption, first, drawn, forest_axis(scale, tick_text), band(scale, margin), columns, rows)
