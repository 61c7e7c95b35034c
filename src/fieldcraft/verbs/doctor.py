"""Doctor: what training did, looked at by every tip's watch hand."""

from pathlib import Path

from fieldcraft.errors import RunError
from fieldcraft.records.finding import Finding
from fieldcraft.report.reading import read_run
from fieldcraft.report.training_record import training_records
from fieldcraft.tips.symptoms import diagnose
from fieldcraft.verbs.run import existing


def doctor(run: str | Path) -> tuple[Finding, ...]:
    """What is wrong with the training of a run, finished or not; the worst first, each with what to change.

    Raises: RunError when the folder is no run, or nothing was trained in it yet.
    """
    read = read_run(existing(run).folder)
    if not read.log:
        raise RunError(
            f"{run} has no log of any network yet (metrics.jsonl): only baselines were trained, or nothing was. "
            "Run the same `fieldcraft fit` again to go on."
        )
    return diagnose(training_records(read.log, read.results, read.journal))
