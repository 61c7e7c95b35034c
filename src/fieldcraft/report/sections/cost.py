"""Time and memory spent."""

from dataclasses import dataclass

from fieldcraft.report.charts.stacked import Stage, stacked_bar
from fieldcraft.report.page import Absent, Figure, Key, Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import mebibytes, percent, seconds


@dataclass(frozen=True)
class Cost:
    """Where the time went."""

    intro: str
    figure: Figure
    keys: tuple[Key, ...]
    table: Table


def cost(run: Run) -> Cost | Absent:
    """Wall clock by stage, and the largest memory."""
    if run.results is None or not run.results.seconds:
        return Absent("The time spent is written when a run ends.")
    spent = run.results.seconds
    total = sum(spent.values())
    budget = run.facts.budget.seconds if run.facts else None
    stages = tuple(Stage(name, value, seconds(value)) for name, value in spent.items())
    label = f"{seconds(total)} in all: " + ", ".join(f"{stage.name} {stage.shown}" for stage in stages)
    caption = "Wall clock by stage, from the start of the process."
    if budget is not None and budget > total:
        caption += " The empty rest is budget that was not needed."
    rows = tuple((stage.name, stage.shown, percent(stage.value / total if total else 0)) for stage in stages)
    table = Table("Wall clock by stage.", columns("Stage", "#Time", "#Share"), rows)
    keys = tuple(Key(stage.name, index) for index, stage in enumerate(stages))
    return Cost(
        _intro(run, total, budget), Figure(stacked_bar(stages, label=label, whole=budget), caption), keys, table
    )


def _intro(run: Run, total: float, budget: float | None) -> str:
    of = f" of a budget of {seconds(budget)}" if budget is not None else "; no budget was set"
    peak = run.results.peak_memory_mib if run.results else 0.0
    memory = f" The process held {mebibytes(peak)} of memory at most." if peak > 0 else " Peak memory was not measured."
    return f"{seconds(total)}{of}.{memory}"
