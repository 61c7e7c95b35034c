"""`fieldcraft labels RUN`: which labels are probably wrong."""

from typing import Annotated

import typer

from fieldcraft.cli.console import say, tell, tell_columns
from fieldcraft.cli.options import RunPath, limit

SHOWN = 20


def labels(
    run: RunPath,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Trainings, each without a part of the samples.")] = 5,
    budget: Annotated[
        str, typer.Option("--budget", metavar="TIME", help="For all folds together: 5m, 1h, or none for no limit.")
    ] = "5m",
) -> None:
    """Rank the labels of RUN's training samples that are probably wrong.

    Correct the column `label` of label-issues.csv and give it to `fieldcraft fit DATA --relabel`.
    """
    from fieldcraft.train.run_folder import RunFolder
    from fieldcraft.verbs.labels import labels as look

    found = look(run, folds=folds, budget=limit(budget), say=say)
    rows = [(one.id, one.given, one.suggested, f"{one.score:.4f}") for one in found.suspects[:SHOWN]]
    if rows:
        tell_columns([("sample", "given", "suggested", "score"), *rows])
    tell(
        f"{len(found.suspects):,} of {found.looked:,} labels are probably wrong. All of them: "
        f"{RunFolder(run).label_issues_csv}"
    )
