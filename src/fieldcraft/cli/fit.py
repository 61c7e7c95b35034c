"""`fieldcraft fit DATA`: from samples to a trained, explained, honest model."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fieldcraft.cli.console import err, say, tell
from fieldcraft.cli.options import (
    AsKind,
    Budget,
    Data,
    Download,
    Edits,
    Group,
    NoEvidence,
    Only,
    Relabel,
    Seed,
    SkipBad,
    Target,
    Task,
    Time,
    Void,
    Weights,
    Without,
    limit,
    read_options,
)


def fit(
    data: Data,
    kind: AsKind = None,
    target: Target = None,
    group: Group = None,
    time: Time = None,
    task: Task = None,
    download: Download = False,
    void: Void = None,
    budget: Budget = "10m",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The run folder.", show_default="runs/NAME")
    ] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Follow this plan instead of drafting one.")] = None,
    edits: Edits = None,
    without: Without = None,
    only: Only = None,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    relabel: Relabel = None,
    no_evidence: NoEvidence = False,
    weights: Weights = None,
) -> None:
    """Train a model on DATA and say honestly what came out.

    The same command goes on where a stopped or killed one was; a finished run is left as it is.
    """
    options = read_options(kind, target, group, time, task, download, void)
    from fieldcraft.cli.progress import ProgressBar
    from fieldcraft.train.clock import process_started
    from fieldcraft.verbs.fit import fit as train

    run = train(
        data,
        plan,
        budget=limit(budget),
        out=out,
        options=options,
        edits=edits or (),
        without=without or (),
        only=only or (),
        seed=seed,
        skip_bad=skip_bad,
        relabel=relabel,
        evidence=not no_evidence,
        weights=weights,
        hooks=(ProgressBar(err()),),
        say=say,
        command=("fieldcraft", *sys.argv[1:]),
        started=process_started(),
    )
    for sentence in run.results.verdict:
        tell(sentence)
    tell(f"The report: {run.report}")
