"""Baselines against networks, on validation."""

from collections.abc import Callable
from dataclasses import dataclass

from fieldcraft.records.results import Candidate, Results
from fieldcraft.report.charts.bars import Bar, bar_chart, dot_chart
from fieldcraft.report.metrics import Metric, metric
from fieldcraft.report.page import Absent, Figure, Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import THIN, number, seconds, whole

CLOSE = 0.2
"""Candidates whose distance to the best is at most this share of the whole range are drawn closer."""


@dataclass(frozen=True)
class Candidates:
    """The contest."""

    intro: str
    figures: tuple[Figure, ...]
    table: Table
    climb: tuple[str, ...]


def candidates(run: Run) -> Candidates | Absent:
    """All candidates; of an unfinished run, what the log holds."""
    results = run.results
    if results is None:
        return _from_log(run)
    if not results.candidates:
        return Absent("No candidate was trained.")
    known = metric(results.metric)
    better = "more is better" if results.higher_is_better else "less is better"
    bars = tuple(_bar(each, results, known) for each in results.candidates)
    label = f"{known.label} on validation: " + ", ".join(f"{bar.name} {bar.shown}" for bar in bars)
    figures = [Figure(bar_chart(bars, label=label), f"{known.label} on validation, from zero; {better}.")]
    near = _near(results)
    if len(near) > 1:
        closer = tuple(_bar(each, results, known) for each in near)
        chart = dot_chart(closer, label=f"The closest ones: {label}", tick_text=_ticks(known))
        caption = (
            "The best ones drawn closer: this scale does not begin at zero. Whiskers span one standard error of the "
        )
        figures.append(Figure(chart, caption + "difference to the best candidate before."))
    intro = f"{known.label}: {known.meaning}. The winner is chosen on the validation part alone."
    return Candidates(intro, tuple(figures), _table(results, known), results.climb)


def _ticks(known: Metric) -> Callable[[float], str]:
    return (lambda value: f"{100 * value:.4g}{THIN}%") if known.share else (lambda value: f"{value:.4g}")


def _bar(each: Candidate, results: Results, known: Metric) -> Bar:
    noise = each.noise
    wins = each.name == results.winner
    return Bar(
        name=f"{each.name} — winner" if wins else each.name,
        value=each.validation,
        shown=known.show(each.validation),
        low=each.validation - noise if noise > 0 else None,
        high=each.validation + noise if noise > 0 else None,
        strong=wins,
    )


def _near(results: Results) -> tuple[Candidate, ...]:
    values = [each.validation for each in results.candidates]
    best = max(values) if results.higher_is_better else min(values)
    reach = max(values) - min(values)
    near = tuple(each for each in results.candidates if abs(each.validation - best) <= CLOSE * reach)
    return near if reach > 0 else ()


def _table(results: Results, known: Metric) -> Table:
    titles = columns("Candidate", f"#{known.label}", "#± noise", "#Time", "#Steps", "#Weights", "Trained on", "Note")
    rows = tuple(
        (
            each.name + (" ★" if each.name == results.winner else ""),
            known.show(each.validation),
            known.show_noise(each.noise) if each.noise > 0 else "–",
            seconds(each.seconds),
            _steps(each),
            whole(each.parameters) if each.parameters is not None else "–",
            each.sample,
            each.note or "–",
        )
        for each in results.candidates
    )
    winners = frozenset(index for index, each in enumerate(results.candidates) if each.name == results.winner)
    unit = " in percentage points" if known.share else ""
    caption = f"Every candidate in the order it was trained; ★ marks the winner; noise is a standard error{unit}."
    return Table(caption, titles, rows, winners)


def _steps(each: Candidate) -> str:
    if each.steps is None:
        return "–"
    if each.planned_steps is None or each.planned_steps == each.steps:
        return whole(each.steps)
    return f"{whole(each.steps)} ({whole(each.planned_steps)} planned)"


def _from_log(run: Run) -> Candidates | Absent:
    if not run.log:
        return Absent("No results were written, and no network has trained yet.")
    rows = tuple(
        (
            log.rung,
            whole(log.last_step),
            number(log.validation_metric.values[-1], 4) if log.validation_metric.values else "–",
        )
        for log in run.log
    )
    table = Table("What the training log holds.", columns("Network", "#Last step", "#Last validation metric"), rows)
    return Candidates("The run did not get as far as comparing its candidates.", (), table, ())
