"""`fieldcraft prove RUN|DATA`: which tips paid on this data, with intervals."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from fieldcraft.cli.console import err, say
from fieldcraft.cli.options import (
    AsKind,
    Download,
    Edits,
    Group,
    NoEvidence,
    Relabel,
    Seed,
    SkipBad,
    Target,
    Task,
    Time,
    Void,
    Weights,
    Without,
    read_options,
)


def prove(
    what: Annotated[
        str,
        typer.Argument(metavar="RUN|DATA", help="A run folder, or data: a folder, a file, or a built-in name."),
    ],
    tips: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIP,...",
            help="Tips in question, and changes FIELD=VALUE to be tried; repeatable.",
            show_default="all that changed the plan",
        ),
    ] = None,
    budget: Annotated[
        str,
        typer.Option(metavar="TIME", help="Wall clock of all sittings together; the same command with more goes on."),
    ] = "30m",
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="What is compared.", show_default="the plan's metric")
    ] = None,
    effect: Annotated[
        Literal["total", "direct"],
        typer.Option(help="Without a tip, the other tips decide again, or everything else stays pinned."),
    ] = "total",
    equal: Annotated[
        Literal["minutes", "steps"], typer.Option(help="What trainings that are compared have in common.")
    ] = "minutes",
    alpha: Annotated[float, typer.Option(help="Chance of any wrong verdict, over all tips and looks.")] = 0.05,
    margin: Annotated[
        float | None,
        typer.Option(help="Effects below it do not matter; in units of the metric.", show_default="0.2 points"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Trainings at once.", show_default="one a core, one on a GPU")
    ] = None,
    engine: Annotated[
        Literal["processes", "ray", "inline"],
        typer.Option(help="Where trainings run: worker processes, a Ray cluster, or this process."),
    ] = "processes",
    address: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Of the Ray cluster.")] = None,
    trial_budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Of one training.", show_default="what lets the budget decide"),
    ] = None,
    fit_budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Of the fit whose tips are in question.", show_default="the run's, or 10m"),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where it is kept.", show_default="RUN/proof or runs/NAME/proof"),
    ] = None,
    kind: AsKind = None,
    target: Target = None,
    group: Group = None,
    time: Time = None,
    task: Task = None,
    download: Download = False,
    void: Void = None,
    edits: Edits = None,
    without: Without = None,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    relabel: Relabel = None,
    no_evidence: NoEvidence = False,
    weights: Weights = None,
) -> None:
    """Say of each tip whether it paid on DATA: paid, hurt, no effect that matters, or cannot tell yet.

    The same command goes on where a stopped or killed one was, and with more --budget where one ended.
    """
    options = read_options(kind, target, group, time, task, download, void)
    from fieldcraft.cli.proof_progress import ProofProgress
    from fieldcraft.cli.proof_table import tell_proof
    from fieldcraft.train.clock import process_started
    from fieldcraft.verbs.prove import prove as find_out

    with closing(ProofProgress(err())) as progress:
        proof = find_out(
            what,
            tips=tuple(one.strip() for given in tips or () for one in given.split(",") if one.strip()),
            budget=budget,
            metric=metric,
            effect=effect,
            equal=equal,
            alpha=alpha,
            margin=margin,
            workers=workers,
            engine=engine,
            address=address,
            trial_budget=trial_budget,
            fit_budget=fit_budget,
            out=folder,
            seed=seed,
            options=options,
            edits=edits or (),
            without=without or (),
            skip_bad=skip_bad,
            relabel=relabel,
            evidence=not no_evidence,
            weights=weights,
            say=say,
            see=progress,
            command=("fieldcraft", *sys.argv[1:]),
            started=process_started(),
        )
    tell_proof(proof)
