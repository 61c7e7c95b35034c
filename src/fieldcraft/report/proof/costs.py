"""What factors cost, beside what they bring."""

from dataclasses import dataclass
from typing import Literal

from fieldcraft.records.proof import Between, Proof, Verdict
from fieldcraft.report.charts.svg import tick_text
from fieldcraft.report.charts.trade import Point, trade_chart
from fieldcraft.report.page import Absent, Figure, Table, columns
from fieldcraft.report.proof.effects import MARKS, kind_of
from fieldcraft.report.proof_words import SPACE, Units, cost_difference, margin_of, ordered, units_of, word_shown

Kind = Literal["seconds", "memory_mib", "parameters", "latency_ms"]
COSTS: dict[Kind, tuple[str, str]] = {
    "seconds": ("Training time", "s"),
    "memory_mib": ("Memory in training", "MiB"),
    "latency_ms": ("Time of one prediction", "ms"),
    "parameters": ("Parameters", ""),
}
NAMED = 12
"""Up to so many factors all names and intervals are drawn; among more, only those of factors that paid or hurt."""


@dataclass(frozen=True)
class Costs:
    """A drawing for each cost that some factor changes, and all of them as a table."""

    figures: tuple[Figure, ...]
    unchanged: str
    table: Table
    folded: bool


def costs(proof: Proof) -> Costs | Absent:
    """Effect against cost."""
    units = units_of(proof)
    measured = [kind for kind in COSTS if any(getattr(one.cost, kind) is not None for one in proof.verdicts)]
    if not measured:
        return Absent("No cost was measured.")
    figures, unchanged = [], []
    for kind in measured:
        figure = _figure(proof, kind, units)
        if figure is None:
            unchanged.append(COSTS[kind][0].lower())
        else:
            figures.append(figure)
    said = f"No factor changes this: {', '.join(unchanged)}." if unchanged else ""
    return Costs(tuple(figures), said, _table(proof, measured, units), len(proof.verdicts) > NAMED)


def _cost(verdict: Verdict, kind: Kind) -> Between | None:
    found: Between | None = getattr(verdict.cost, kind)
    return found


def _figure(proof: Proof, kind: Kind, units: Units) -> Figure | None:
    known = [(one, _cost(one, kind)) for one in ordered(proof)]
    both = [(one, one.effect, cost) for one, cost in known if one.effect is not None and cost is not None]
    if not both or all(cost.value == cost.low == cost.high == 0 for _, _, cost in both):
        return None
    few = len(both) <= NAMED
    points = [
        Point(
            name=one.factor,
            effect=(units.scale * effect.value, units.scale * effect.low, units.scale * effect.high),
            cost=(cost.value, cost.low, cost.high),
            mark=MARKS[kind_of(proof, one)],
            named=few or (proof.trusted and one.word in ("paid", "hurt")),
        )
        for one, effect, cost in both
    ]
    title, unit = COSTS[kind]
    of = f", {unit}" if unit else ""
    chart = trade_chart(
        points,
        label=f"Effect against {title.lower()} of {len(points)} factors; the numbers are in the table below.",
        x_label=f"{title.lower()}, on minus off{of}",
        y_label=f"effect{f', {units.name}' if units.name else ''}",
        margin=units.scale * margin_of(proof),
        x_text=_with_sign,
        y_text=_with_sign,
    )
    whose = "" if few else " of factors that paid or hurt; those of all are in the table"
    return Figure(chart, f"Higher is better, further right is dearer; lines are intervals{whose}.", title)


def _with_sign(value: float) -> str:
    return f"+{tick_text(value)}" if value > 0 else tick_text(value)


def _table(proof: Proof, measured: list[Kind], units: Units) -> Table:
    titles = columns("Factor", "Verdict", "#Effect", *(f"#{COSTS[kind][0]}" for kind in measured))
    rows = tuple(
        (
            one.factor,
            word_shown(proof, one).replace(" ", SPACE),
            units.effect(one.effect) if one.effect else "–",
            *(cost_difference(_cost(one, kind), COSTS[kind][1]) for kind in measured),
        )
        for one in ordered(proof)
    )
    return Table(
        "What each factor brings and costs, on minus off; in brackets 95 % intervals of the costs.", titles, rows
    )
