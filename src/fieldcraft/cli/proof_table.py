"""A proof on a terminal: controls first, a line for each factor, and what the undecided would take."""

from typing import TYPE_CHECKING

from fieldcraft.cli.console import out, tell
from fieldcraft.records.proof import Proof, Verdict

if TYPE_CHECKING:
    from rich.console import Group

HEADINGS = ("factor", "verdict", "effect", "interval", "pairs", "time", "note")
NUMBERS = frozenset({"effect", "pairs"})
STYLES = {"paid": "green", "hurt": "red", "no effect that matters": "", "cannot tell yet": "dim", "not trusted": "dim"}
NAME_WIDTH = 16
NARROW = 100
"""Columns of a terminal below which costs and notes stand in lines of their own."""


def tell_proof(proof: Proof) -> None:
    """Print it: as a table that fits a terminal, as lines that are never cut off elsewhere."""
    if out().is_terminal:
        out().print(proof_table(proof, width=out().width))
    else:
        tell(plain(proof))


def proof_table(proof: Proof, *, width: int = 120) -> "Group":
    """All of it as a Rich renderable that fits `width` columns."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    narrow = width < NARROW
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for name in HEADINGS[: 5 if narrow else 7]:
        small = name in ("effect", "interval", "pairs")
        grid.add_column(
            name,
            justify="right" if name in NUMBERS else "left",
            no_wrap=small,
            overflow="fold",
            min_width=NAME_WIDTH if name == "factor" else None,
        )
    for verdict in _verdicts(proof):
        cells = _cells(proof, verdict)
        style = STYLES[cells[1].partition(" ")[2]]
        shown = [Text(cell, style=style if at == 1 else "") for at, cell in enumerate(cells)]
        if narrow:
            below = "; ".join(part for part in (cells[5] and f"time {cells[5]}", cells[6]) if part)
            shown = [Text.assemble(cells[0], (f"\n{below}", "dim")) if below else shown[0], *shown[1:5]]
        grid.add_row(*shown)
    return Group(
        *(Text(one, style=style) for one, style in _above(proof)),
        Text(),
        grid,
        Text(),
        *(Text(one, style="dim" if one.startswith("effect:") else "") for one in _below(proof)),
    )


def plain(proof: Proof) -> str:
    """All of it as text, for files and pipes."""
    rows = [HEADINGS, *(_cells(proof, one) for one in _verdicts(proof))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.rjust(wide) if name in NUMBERS else cell.ljust(wide)
            for cell, wide, name in zip(row, widths, HEADINGS, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*(one for one, _ in _above(proof)), "", *lines, "", *_below(proof)])


def _verdicts(proof: Proof) -> tuple[Verdict, ...]:
    from fieldcraft.report.proof_words import ordered

    return ordered(proof)


def _cells(proof: Proof, verdict: Verdict) -> tuple[str, ...]:
    from fieldcraft.report.proof_words import cost_difference, glyph_shown, note, pairs_shown, units_of, word_shown

    units, effect = units_of(proof), verdict.effect
    seconds = verdict.cost.seconds
    cells = (
        verdict.factor,
        f"{glyph_shown(proof, verdict)} {word_shown(proof, verdict)}",
        units.signed(effect.value) if effect else "–",
        f"[{units.plain(effect.low)}, {units.plain(effect.high)}]" if effect else "",
        pairs_shown(verdict),
        cost_difference(seconds, "s").partition(" (")[0] if seconds else "",
        note(proof, verdict),
    )
    return tuple(one_line(cell) for cell in cells)


def _above(proof: Proof) -> list[tuple[str, str]]:
    """Lines before the table, with their styles."""
    from fieldcraft.report.proof_words import control_line, control_title, lead, units_of, warnings

    units = units_of(proof)
    said = [(lead(proof), "bold" if proof.trusted else "bold red")]
    said += [(one, "yellow" if proof.trusted else "") for one in warnings(proof)]
    said += [
        (f"{control_title(one)} ({control_line(one, units)})", "bold red" if one.passed is False else "dim")
        for one in proof.controls
    ]
    return [(one_line(text), style) for text, style in said]


def _below(proof: Proof) -> list[str]:
    """Lines after it."""
    from fieldcraft.report.proof_words import changes, direction, holds, looked, margin_shown, undecided, units_of

    units = units_of(proof)
    unit = f" in {units.name}" if units.name else ""
    scale = f"effect: on minus off{unit}; {direction(proof.setting)}; less than {margin_shown(proof)} does not matter"
    open_ones = undecided(proof) if proof.trusted else ()
    look = () if proof.look is None else (f"Look {proof.look.look} at the test part: {looked(proof, proof.look)}",)
    return [one_line(one) for one in (scale, *holds(proof), *changes(proof), *look, *proof.notes, *open_ones)]


def one_line(text: str) -> str:
    """On one line, with plain spaces, and nothing that a terminal would obey."""
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
