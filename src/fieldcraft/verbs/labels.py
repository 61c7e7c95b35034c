"""Labels: which labels of a run's training and validation samples are probably wrong."""

import csv
import io
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import Dataset
from fieldcraft.data.folds import pooled
from fieldcraft.errors import DataError, PlanError
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import read_plan
from fieldcraft.prediction.label_issues import rank_labels
from fieldcraft.records.alone import alone_in
from fieldcraft.records.files import write_json, write_whole
from fieldcraft.records.label_issues import LabelIssues, Suspect
from fieldcraft.records.results import Results
from fieldcraft.report.run_report import write_report
from fieldcraft.train.engine import restored
from fieldcraft.verbs import pictures
from fieldcraft.verbs.budget import seconds
from fieldcraft.verbs.draft import CACHE
from fieldcraft.verbs.interrupt import listening
from fieldcraft.verbs.out_of_fold import Winner, out_of_fold
from fieldcraft.verbs.reopen import reopened
from fieldcraft.verbs.run import Run, existing
from fieldcraft.verbs.samples import ready

COLUMNS = ("id", "label", "given", "suggested", "score")


def labels(
    run: str | Path,
    *,
    data: object = None,
    folds: int = 5,
    budget: str | float | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> LabelIssues:
    """Train the run's winner once a fold, and rank the labels that the other folds do not believe.

    `data`: the run's source again, where it was an object in memory. `budget`: "5m" or seconds for all folds together;
    None: each fold takes as many steps as the run did. Writes label-issues.json, label-issues.csv and pictures into the
    run folder, and its report again. The test part takes no part.
    Raises: DataError when targets are not one class a sample; RunError when the data has changed since;
    MissingExtraError without cleanlab.
    """
    began = time.monotonic()
    budget_s = seconds(budget)
    if folds < 2:
        raise PlanError(f"--folds must be 2 or more, but got {folds}.")
    found = existing(run)
    winner = winner_of(found.plan, _carried_out(found), found.results)
    if found.plan.task.kind != "single-label":
        raise DataError(
            f"label errors are looked for where each sample has one class, but {run} is {found.plan.task.kind}."
        )
    with alone_in(found.path), restored(), listening() as stop:
        prepared = reopened(found, data)
        dataset = pooled(prepared.dataset, prepared.parts)
        left_s = None if budget_s is None else budget_s - (time.monotonic() - began)
        probabilities = out_of_fold(
            dataset, winner, found.facts, folds=folds, budget_s=left_s, cache=CACHE, stop=stop, say=say
        )
        issues = suspected(dataset, probabilities, folds, _words(winner), time.monotonic() - began)
        write_json(found.folder.label_issues, "label-issues", issues)
        write_whole(found.folder.label_issues_csv, as_csv(issues))
        if found.plan.input.kind == "image":
            shown = ready(prepared.dataset, prepared.parts, found.plan, CACHE)
            place = {name: row for row, name in enumerate(prepared.dataset.ids)}
            rows = np.array([place[one.id] for one in issues.suspects[: pictures.SHOWN]], np.int64)
            pictures.write(found.folder.label_issue_pictures, {"suspects": pictures.eight_bits(shown, rows)})
        write_report(found.folder)
    return issues


def winner_of(plan: Plan, carried_out: Plan, results: Results) -> Winner:
    """The plan with the winner alone in its ladder, as many steps as it took; of an average, its heaviest member."""
    found = {one.name: one for one in results.candidates}
    won = found[results.winner]
    if won.kind == "ensemble":
        won = found[won.members[0].name]
    if won.kind == "baseline":
        baselines = tuple(name for name in plan.ladder.baselines if name == won.name)
        return Winner(plan=replace(plan, ladder=replace(plan.ladder, baselines=baselines, rungs=())), step_s=None)
    rung = next(one for one in carried_out.ladder.rungs if one.name == won.name)
    steps = max(1, won.steps or rung.steps)
    rung = replace(rung, steps=steps, copy_of="")
    alone = replace(plan, ladder=replace(plan.ladder, baselines=(), rungs=(rung,)))
    return Winner(plan=alone, step_s=won.seconds / steps)


def suspected(
    dataset: Dataset, probabilities: npt.NDArray[np.float64], folds: int, trained: str, seconds_taken: float
) -> LabelIssues:
    """The ranked list, in words."""
    given = dataset.targets.values.astype(np.int64)
    ranking = rank_labels(given, probabilities)
    names, best = dataset.targets.names, probabilities.argmax(axis=1)
    return LabelIssues(
        suspects=tuple(
            Suspect(
                id=dataset.ids[row], given=names[given[row]], suggested=names[best[row]],
                score=float(ranking.quality[row]),
            )
            for row in ranking.suspects
        ),
        looked=len(dataset),
        folds=folds,
        trained=trained,
        agreement=float((best == given).mean()),
        seconds=seconds_taken,
    )  # fmt: skip


def as_csv(issues: LabelIssues) -> str:
    """One line a suspect. `label` is the given class: what a person changes before handing the file to --relabel."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for one in issues.suspects:
        lines.writerow([one.id, one.given, one.given, one.suggested, f"{one.score:.6f}"])
    return text.getvalue()


def _carried_out(run: Run) -> Plan:
    return read_plan(run.folder.repeat).plan if run.folder.repeat.exists() else run.plan


def _words(winner: Winner) -> str:
    rung = winner.rung
    return winner.plan.ladder.baselines[0] if rung is None else f"{rung.name}, at most {rung.steps:,} steps"
