"""What was run, when, by which worker, and what went wrong."""

from dataclasses import dataclass

from fieldcraft.records.proof import Outcome, Proof, Stage
from fieldcraft.report.charts.timeline import Span, timeline_chart
from fieldcraft.report.page import Absent, Figure, Key, Table, columns
from fieldcraft.report.proof_words import Units, units_of
from fieldcraft.report.wording import plural, seconds, whole

STAGES: dict[Stage, tuple[str, int]] = {
    "screen": ("screening", 0),
    "confirm": ("one by one", 2),
    "full": ("full budget", 1),
}
"""Names and colours."""
CONTROLS = ("controls", 5)
LISTED = 400
"""Trials that the table lists; all of them are in proof.json."""


@dataclass(frozen=True)
class History:
    """A timeline, and all trials as a table."""

    intro: str
    keys: tuple[Key, ...]
    figure: Figure
    failed: Table | None
    table: Table
    left_off: str


def history(proof: Proof) -> History | Absent:
    """All trials in the order in which they ended."""
    ended = proof.outcomes
    if not ended:
        return Absent("No trial has ended yet.")
    units = units_of(proof)
    workers = sorted({one.worker for one in ended})
    spans = [_span(one, workers.index(one.worker)) for one in ended]
    failed = [(number, one) for number, one in enumerate(ended, 1) if one.score is None]
    total = sum(one.seconds for one in ended)
    intro = (
        f"{plural(len(ended), 'trial')} by {plural(len(workers), 'worker')} in {seconds(proof.seconds)}, which were "
        f"{seconds(total)} of work."
        + (
            f" {plural(len(failed), 'trial')} failed; a pair counts only when both of its trials ended well."
            if failed
            else ""
        )
    )
    label = f"Timeline of {plural(len(ended), 'trial')}; the table below lists them."
    figure = Figure(
        timeline_chart(spans, [f"worker {one + 1}" for one in workers], label=label),
        "Each bar is one trial, from its start to its end; time is the proof's own, without pauses between sittings. "
        "Failed trials are hollow and crossed.",
    )
    used = {_colour(one) for one in ended}
    keys = tuple(Key(name, index) for name, index in (*STAGES.values(), CONTROLS) if (name, index) in used)
    listed = [_row(number, one, units) for number, one in enumerate(ended[:LISTED], 1)]
    rest = len(ended) - LISTED
    return History(
        intro,
        keys,
        figure,
        Table(
            "Trials that failed, and why.",
            columns("#No.", "Arm", "#Pair", "Stage", "Error"),
            tuple((whole(number), *_where(one), one.error or "the score is no number") for number, one in failed),
        )
        if failed
        else None,
        Table("Trials in the order in which they ended.", _TITLES, tuple(listed)),
        f"The last {whole(rest)} are only in proof.json." if rest > 0 else "",
    )


_TITLES = columns("#No.", "Arm", "#Pair", "Stage", "#Ended at", "#Took", "#Worker", "#Score", "Note")


def _colour(one: Outcome) -> tuple[str, int]:
    return CONTROLS if one.trial.arm.kind in ("placebo", "poison") else STAGES[one.trial.stage]


def _span(one: Outcome, row: int) -> Span:
    end = one.error or ("no score" if one.score is None else "")
    told = f"{one.trial.arm.name}, pair {one.trial.pair + 1}, {STAGES[one.trial.stage][0]}, {seconds(one.seconds)}"
    return Span(
        row, one.at_s - one.seconds, one.at_s, _colour(one)[1], f"{told}: {end}" if end else told, one.score is None
    )


def _where(one: Outcome) -> tuple[str, str, str]:
    return one.trial.arm.name, whole(one.trial.pair + 1), STAGES[one.trial.stage][0]


def _row(number: int, one: Outcome, units: Units) -> tuple[str, ...]:
    score = "–" if one.score is None else units.plain(one.score) + (" %" if units.scale == 100 else "")
    notes = "; ".join(part for part in (one.error, "diverged" if one.diverged else "", *one.notes) if part)
    return (
        whole(number), *_where(one), seconds(one.at_s), seconds(one.seconds), whole(one.worker + 1), score, notes or "–"
    )  # fmt: skip
