"""`fieldcraft plan DATA`: let every tip decide, and write the plan with its reasons."""

from pathlib import Path
from typing import Annotated

import typer

from fieldcraft.cli.console import say, tell_columns
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


def plan(
    data: Data,
    kind: AsKind = None,
    target: Target = None,
    group: Group = None,
    time: Time = None,
    task: Task = None,
    download: Download = False,
    void: Void = None,
    budget: Budget = "10m",
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the plan.")] = Path("plan.toml"),
    edits: Edits = None,
    without: Without = None,
    only: Only = None,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    relabel: Relabel = None,
    no_evidence: NoEvidence = False,
    weights: Weights = None,
) -> None:
    """Let every tip decide on DATA, and write the plan.

    The reasons stand beside the lines, in the file, and are printed.
    """
    options = read_options(kind, target, group, time, task, download, void)
    from fieldcraft.plan.toml import to_toml
    from fieldcraft.records.files import write_whole
    from fieldcraft.verbs.draft import draft

    drafted = draft(
        data,
        options=options,
        budget=limit(budget),
        edits=edits or (),
        without=without or (),
        only=only or (),
        seed=seed,
        skip_bad=skip_bad,
        relabel=relabel,
        evidence=not no_evidence,
        weights=weights,
        say=say,
    )
    text = to_toml(drafted.plan, drafted.decisions)
    if out.is_file() and out.read_text(encoding="utf-8", errors="replace") != text:
        before = out.with_name(f"{out.name}.old")
        out.replace(before)
        say(f"{out} was there already, perhaps edited: it is kept as {before}.")
    write_whole(out, text)
    tell_columns((one.tip, one.outcome, one.because) for one in drafted.decisions)
    say(f"The plan with its reasons: {out}. To train with it, give `fieldcraft fit` the same data and --plan {out}.")
