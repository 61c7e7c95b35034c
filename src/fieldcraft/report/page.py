"""What sections are made of: tables, figures, pictures. Plain values, laid out by the templates."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    number: bool = False
    """Numbers stand right-aligned."""


@dataclass(frozen=True)
class Table:
    """Rows of text; everything in them is escaped."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()
    """Rows that stand out."""


@dataclass(frozen=True)
class Figure:
    """A drawing and the one sentence that says how to read it."""

    svg: Markup
    caption: str
    title: str = ""


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a series' name and its colour's number."""

    name: str
    series: int


@dataclass(frozen=True)
class Picture:
    """Pixels as a data URI, with what they show."""

    uri: str
    alt: str
    lines: tuple[str, ...]
    """Caption, line by line."""
    small: bool
    """Whether single pixels are to be shown as squares."""


@dataclass(frozen=True)
class Absent:
    """A section that cannot be shown, and why."""

    why: str


@dataclass(frozen=True)
class Section:
    """A part of the page, its anchor and the template that lays its view out."""

    key: str
    title: str
    view: object
    template: str

    @property
    def absent(self) -> bool:
        """Whether there is nothing but the reason why."""
        return isinstance(self.view, Absent)


def columns(*titles: str) -> tuple[Column, ...]:
    """Columns by title; a leading `#` marks a column of numbers."""
    return tuple(Column(title.removeprefix("#"), title.startswith("#")) for title in titles)


def pairs(caption: str, rows: Sequence[tuple[str, str]]) -> Table:
    """A table of names and values."""
    return Table(caption, columns("", ""), tuple(rows))
