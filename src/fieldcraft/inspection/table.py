"""An inspection on a terminal: a line a layer, then totals, fields and findings."""

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from fieldcraft.inspection.inspection import Inspection
from fieldcraft.inspection.lines import Line, lines
from fieldcraft.inspection.summary import Told, summary
from fieldcraft.inspection.words import amount, field_in_words, sizes, stride_in_words

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

HEADINGS = ("layer", "operation", "output", "field", "stride", "params", "MACs")
STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan", "heading": "bold", "faint": "dim", "": ""}
NARROW = 100
"""Columns of a terminal below which layer and operation share one column."""


def table(inspection: Inspection, *, depth: int | None = None, every_row: bool = False, width: int = 120) -> "Group":
    """All of it as a Rich renderable that fits `width` columns."""
    from rich.console import Group
    from rich.text import Text

    made = lines(inspection.anatomy, depth=depth, every_row=every_row)
    told = [_paragraph(one) for one in summary(inspection)]
    return Group(_layers(made, narrow=width < NARROW), Text(), *told)


def plain(inspection: Inspection, *, depth: int | None = None, every_row: bool = False) -> str:
    """All of it as text, for files and pipes; nothing is cut off."""
    made = lines(inspection.anatomy, depth=depth, every_row=every_row)
    cells = [HEADINGS, *(_cells(line) for line in made)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    out = StringIO()
    for row in cells:
        padded = [
            cell.rjust(w) if at > 2 else cell.ljust(w) for at, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(padded).rstrip(), file=out)
    print(file=out)
    for one in summary(inspection):
        print(f"{'  ' * one.indent}{one.text}", file=out)
    return out.getvalue().rstrip("\n")


def _layers(made: Sequence[Line], *, narrow: bool) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    if narrow:
        grid.add_column("layer: operation", no_wrap=True, overflow="ellipsis", ratio=1)
    else:
        grid.add_column("layer", no_wrap=True, overflow="ellipsis", max_width=40)
        grid.add_column("operation", no_wrap=True, overflow="ellipsis", ratio=1)
    rows = [_cells(line) for line in made]
    for place, name in enumerate(HEADINGS[2:], 2):
        longest = max(map(len, (name, *(cells[place] for cells in rows))))
        grid.add_column(name, justify="left" if name == "output" else "right", no_wrap=True, min_width=longest)
    for cells in rows:
        first = [Text.assemble(cells[0], (f" {cells[1]}", "dim"))] if narrow else [Text(cells[0]), Text(cells[1])]
        grid.add_row(*first, *(Text(cell) for cell in cells[2:]))
    return grid


def _cells(line: Line) -> tuple[str, ...]:
    name = (line.path or "(top)") + (f" #{line.call + 1}" if line.call else "")
    return (
        name,
        line.what,
        sizes(line.shape),
        field_in_words(line.last),
        stride_in_words(line.last),
        amount(line.parameters),
        amount(line.macs),
    )


def _paragraph(one: Told) -> "RenderableType":
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(one.text, style=STYLES[one.style]), (0, 0, 0, 2 * one.indent))
