"""Where commands print: results on stdout, everything else on stderr. Rich is imported at the first line."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> "Console":
    """For results."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


@cache
def err() -> "Console":
    """For progress and complaints."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, stderr=True)


def say(text: str) -> None:
    """A line of progress."""
    err().print(text, soft_wrap=True)


def tell(text: str) -> None:
    """A line of the result."""
    out().print(text, soft_wrap=True)


def complain(text: str) -> None:
    """A line about something that went wrong."""
    from rich.text import Text

    err().print(Text("error: ", style="bold red") + Text(text, style="default"), soft_wrap=True)


def tell_columns(rows: Iterable[tuple[str, ...]]) -> None:
    """Rows in columns; the last column takes what is left and wraps on a terminal, and stays on one line elsewhere."""
    rows = list(rows)
    if out().is_terminal:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        for row in rows:
            grid.add_row(*(Text(cell) for cell in row))
        out().print(grid)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        tell("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
