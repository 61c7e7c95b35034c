"""Arguments and options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from fieldcraft.data.dataset import ReadOptions

Data = Annotated[str, typer.Argument(metavar="DATA", help="A folder, a file, or a built-in name such as digits.")]
AsKind = Annotated[
    str | None, typer.Option("--as", metavar="KIND", help="Read DATA as this kind, whatever it looks like.")
]
Target = Annotated[
    list[str] | None, typer.Option("--target", metavar="COLUMN", help="Column to predict in a table; repeatable.")
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="COLUMN|REGEX",
        help="Samples of one group stay in one part: a column, or a pattern that finds the group in the path.",
    ),
]
Time = Annotated[
    str | None, typer.Option("--time", metavar="COLUMN", help="Column that orders the samples; splits follow it.")
]
Task = Annotated[
    Literal["single-label", "multi-label", "regression"] | None,
    typer.Option("--task", help="What the target is, where its values could mean something else."),
]
Download = Annotated[bool, typer.Option("--download", help="Allow a built-in set, or weights by name, to be fetched.")]
Void = Annotated[
    list[int] | None,
    typer.Option("--void", metavar="NUMBER", help="A number in masks that means: no label; repeatable."),
]
Budget = Annotated[
    str,
    typer.Option(
        "--budget",
        metavar="TIME",
        help="Wall clock from start to the finished report: 60s, 10m, 1h30m, or none for no limit.",
    ),
]
Edits = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of the plan; repeatable.")
]
Without = Annotated[list[str] | None, typer.Option("--without", metavar="TIP", help="Leave a tip out; repeatable.")]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="TIP", help="Let only this tip decide; repeatable.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The seed that all random streams grow from.")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Go on without samples that would spoil the result; they are recorded.")
]
Relabel = Annotated[
    Path | None,
    typer.Option("--relabel", metavar="FILE", help="A CSV with the columns id and label: corrected labels."),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        metavar="FILE|FOLDER|NAME",
        help="Pretrained weights to take over: a file, a folder of candidates, timm:NAME or torchvision:NAME; "
        "repeatable.",
    ),
]
NoEvidence = Annotated[
    bool, typer.Option("--no-evidence", help="Let all tips decide, whatever proofs on file say of them.")
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, made by `fieldcraft fit`.")]


def limit(budget: str) -> str | None:
    """The budget as the library takes it."""
    return None if budget.strip().lower() == "none" else budget


def read_options(
    kind: str | None,
    target: list[str] | None,
    group: str | None,
    time: str | None,
    task: Literal["single-label", "multi-label", "regression"] | None,
    download: bool,
    void: list[int] | None = None,
) -> "ReadOptions":
    """What the user says about the data, as the library takes it."""
    from fieldcraft.data.dataset import ReadOptions

    return ReadOptions(
        kind=kind,
        target=tuple(target or ()),
        group=group,
        time=time,
        task=task,
        download=download,
        void=tuple(void or ()),
    )
