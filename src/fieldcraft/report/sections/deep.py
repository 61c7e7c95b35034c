"""What labels depend on, where objects are, how the samples lie, how far labels can be trusted."""

from dataclasses import dataclass

from fieldcraft.records.deep_facts import DeepFacts, Survives, Symmetry
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Task
from fieldcraft.report.charts.intervals import Interval, interval_chart
from fieldcraft.report.fact_rows import SURVIVES, deep_rows, symmetry_rows
from fieldcraft.report.page import Absent, Figure, Key, Table, columns

COLOURS: dict[Survives, int] = {"yes": 0, "no": 1, "cannot-tell": 2}


@dataclass(frozen=True)
class Deep:
    """Deep facts, as far as they were measured."""

    keys: tuple[Key, ...]
    forest: Figure | None
    symmetry: Table | None
    facts: Table | None
    left_out: tuple[str, ...]


def deep(found: DeepFacts, task: Task) -> Deep | Absent:
    """The view; absent where nothing was measured."""
    if task == "segmentation":
        return Absent("Images with masks are not probed by trainings: what masks and voxels show stands with the data.")
    if found == DeepFacts():
        return Absent("They are measured when a plan is drafted; this run was given its plan.")
    rows = deep_rows(found, task)
    how = columns("Fact", "Value", "Method", "Sample")
    return Deep(
        keys=tuple(Key(f"label survives: {SURVIVES[name]}", colour) for name, colour in COLOURS.items()),
        forest=_forest(found.symmetry) if found.symmetry else None,
        symmetry=_table(found.symmetry) if found.symmetry else None,
        facts=Table("Each fact with how it was found and on what.", how, rows) if rows else None,
        left_out=found.left_out,
    )


def _forest(fact: Fact[tuple[Symmetry, ...]]) -> Figure:
    rows = [
        Interval(one.transform.replace("-", " "), 100 * one.low, 100 * one.gain, 100 * one.high, COLOURS[one.survives])
        for one in fact.value
    ]
    margin = 100 * max(one.margin for one in fact.value)
    said = ", ".join(f"{row.name} {row.middle:+.1f}" for row in rows)
    return Figure(
        interval_chart(rows, label=f"Gain of a probe in points: {said}", x_label="gain in points", margin=margin),
        "What a probe gains on untouched samples when it also learns from changed ones. Left of the band the change "
        "destroys what labels depend on.",
    )


def _table(fact: Fact[tuple[Symmetry, ...]]) -> Table:
    titles = columns("Change", "Label survives", "#Gain, points", "#95 %", "#Margin")
    return Table(f"{fact.method}; {fact.sample}", titles, symmetry_rows(fact.value))
