"""From a run's files to the records that watch hands look at: one a rung."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fieldcraft.records.results import Candidate, Results
from fieldcraft.records.training import Curve, TrainingRecord
from fieldcraft.report.metrics_log import Points, RungLog


def training_records(
    log: Sequence[RungLog], results: Results | None, journal: Sequence[Mapping[str, Any]] = ()
) -> tuple[TrainingRecord, ...]:
    """One record for each rung that was logged; of a run that has not ended, what there is."""
    candidates = results.candidates if results else ()
    baselines = {one.name: one.validation for one in candidates if one.kind == "baseline"}
    return tuple(_record(rung, results, candidates, baselines, tuple(_back_offs(rung.rung, journal))) for rung in log)


def _record(
    log: RungLog,
    results: Results | None,
    candidates: Sequence[Candidate],
    baselines: Mapping[str, float],
    backed_off: tuple[str, ...],
) -> TrainingRecord:
    own = next((one for one in candidates if one.name == log.rung), None)
    won = results is not None and results.winner == log.rung
    test = results.test if results is not None and won else None
    before = test.calibration.before if test is not None and test.calibration is not None else None
    total = sum(before.counts) if before else 0
    return TrainingRecord(
        rung=log.rung,
        higher_is_better=results.higher_is_better if results else True,
        metric=results.metric if results else "the metric",
        planned_steps=(own.planned_steps or 0) if own else 0,
        looks=log.looks,
        loss=_curve(log.loss),
        validation=_curve(log.validation_metric, (own.steps or 0, own.validation) if own else None),
        noise=own.gap.validation_noise if own is not None and own.gap is not None else 0.0,
        gap=own.gap if own else None,
        baselines=baselines,
        backed_off=backed_off,
        ece=before.ece if before else None,
        overconfident=(
            sum(
                (sure - right) * n
                for sure, right, n in zip(before.confidence, before.accuracy, before.counts, strict=True)
            )
            > 0
            if before is not None and total
            else None
        ),
        leaks=results.leaks if results else (),
    )


def _curve(points: Points, last: tuple[int, float] | None = None) -> Curve:
    if last is None or (points.steps and points.steps[-1] >= last[0]):
        return Curve(steps=points.steps, values=points.values)
    return Curve(steps=(*points.steps, last[0]), values=(*points.values, last[1]))


def _back_offs(rung: str, journal: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for event in journal:
        if event.get("event") == "back-off" and event.get("rung") == rung:
            yield f"step {event.get('step')}: {event.get('because')}"
