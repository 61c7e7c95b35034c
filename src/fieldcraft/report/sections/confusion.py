"""What is taken for what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fieldcraft.report.charts.heat_map import NUMBERED, heat_map, matrix_label
from fieldcraft.report.page import Absent, Figure, Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import percent, shortened, whole

PAIRS = 10


@dataclass(frozen=True)
class Confusion:
    """A matrix and the most frequent mix-ups, or a table of labels."""

    figure: Figure | None
    table: Table | None


def confusion(run: Run) -> Confusion | Absent | None:
    """Single-label: the matrix; multi-label: what was found of each label; regression: nothing."""
    if run.facts is None:
        return Absent("The facts of the data are missing.")
    task = run.facts.data.target.task
    if task == "regression":
        return None
    if task == "multi-label":
        return _labels(run)
    test = run.results.test if run.results else None
    if test is None or test.confusion is None:
        return Absent("There are no test results to count.")
    names = _names(run.facts.data.target.names, len(test.confusion))
    chart = heat_map(test.confusion, names, label=matrix_label(test.confusion))
    caption = "Rows are the truth, columns the prediction; a darker square is a larger share of its row."
    if len(names) > NUMBERED:
        caption += f" All {len(names)} classes in the order of their names' list; the worst mix-ups stand in the table."
    return Confusion(Figure(chart, caption), _mixed_up(test.confusion, names))


def _names(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    return names if len(names) == count else tuple(str(index) for index in range(count))


def _mixed_up(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Table | None:
    found = sorted(
        ((count, row, column) for row, line in enumerate(counts) for column, count in enumerate(line) if row != column),
        key=lambda entry: -entry[0],
    )
    rows = tuple(
        (shortened(names[row], 40), shortened(names[column], 40), whole(count), percent(count / sum(counts[row])))
        for count, row, column in found[:PAIRS]
        if count
    )
    if not rows:
        return None
    return Table("Most frequent mix-ups.", columns("Truth", "Taken for", "#Samples", "#Of that class"), rows)


def _labels(run: Run) -> Confusion | Absent:
    if run.predictions is None:
        return Absent("There are no predictions to count.")
    rows, part = run.predictions.judged()
    table = []
    for name in rows.named("truth"):
        if f"p:{name}" not in rows:
            continue
        truth, said = rows.numbers(f"truth:{name}") > 0.5, rows.numbers(f"p:{name}") >= 0.5
        hits = int((truth & said).sum())
        table.append(
            (shortened(name, 40), whole(truth.sum()), _ratio(hits, int(truth.sum())), _ratio(hits, int(np.sum(said))))
        )
    titles = columns("Label", "#Samples that have it", "#Of them found", "#Of those named, right")
    caption = f"Each label on the {part} part, named where its probability is at least one half."
    return Confusion(None, Table(caption, titles, tuple(table)))


def _ratio(part: int, whole_count: int) -> str:
    return percent(part / whole_count) if whole_count else "–"
