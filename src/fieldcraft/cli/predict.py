"""`fieldcraft predict RUN INPUT...`: labels with calibrated confidence as a table, or masks as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fieldcraft.cli.console import complain, say
from fieldcraft.cli.options import RunPath
from fieldcraft.errors import FieldcraftError

if TYPE_CHECKING:
    from fieldcraft.prediction.masks.model import MaskModel
    from fieldcraft.prediction.model import Model


def predict(
    run: RunPath,
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Files or folders like those trained on.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A .csv or .parquet file; of masks, a folder.",
            show_default="predictions.csv, or a folder masks",
        ),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write the probabilities of masks, too.")
    ] = False,
    device: Annotated[
        Literal["cpu", "cuda"] | None,
        typer.Option(help="Where a network predicts masks.", show_default="cuda where there is a GPU, else cpu"),
    ] = None,
) -> None:
    """Predict INPUT with the model of RUN.

    Inputs that cannot be read are named one by one; the rest are predicted. Masks are written in the format of their
    image, with a map of uncertainty beside each; those that are there already are left, so that the same command goes
    on where it was stopped.
    """
    from fieldcraft.prediction.load import load
    from fieldcraft.prediction.model import Model

    model = load(run)
    if isinstance(model, Model):
        if probabilities:
            raise FieldcraftError("--probabilities is for masks: tables hold the probabilities anyway.")
        if device == "cuda":
            raise FieldcraftError("--device cuda is for masks: one answer an image or row is quick on the CPU.")
        _table(model, inputs, out or Path("predictions.csv"))
    else:
        _masks(_placed(model, device), inputs, out or Path("masks"), probabilities=probabilities)


def _table(model: "Model", inputs: list[Path], out: Path) -> None:
    if out.suffix not in (".csv", ".parquet"):
        raise FieldcraftError(f"--out must end in .csv or .parquet, but got {out.name!r}.")
    from fieldcraft.records.files import write_whole

    found = model.predict_files(inputs)
    for problem in found.problems:
        complain(f"{problem.sample}: {problem.reason}")
    if found.frame.empty:
        raise FieldcraftError("none of the inputs could be predicted; nothing was written.")
    write_whole(out, found.frame.to_csv(index=False) if out.suffix == ".csv" else found.frame.to_parquet(index=False))
    skipped = f"; {len(found.problems)} could not be read" if found.problems else ""
    say(f"{len(found.frame)} predicted{skipped}: {out}")


def _placed(model: "MaskModel", device: Literal["cpu", "cuda"] | None) -> "MaskModel":
    import torch

    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise FieldcraftError("--device cuda needs a GPU that torch can use, and none was found: leave it out.")
    return model.on(torch.device("cuda", 0)) if there and device != "cpu" else model


def _masks(model: "MaskModel", inputs: list[Path], out: Path, *, probabilities: bool) -> None:
    if out.suffix in (".csv", ".parquet") or out.is_file():
        raise FieldcraftError(f"--out must be a folder: masks are files, but got {out.name!r}.")
    from fieldcraft.data.dataset import Problem
    from fieldcraft.prediction.masks.files import predict_files

    written = before = bad = 0
    for one in predict_files(model, inputs, out, probabilities=probabilities):
        if isinstance(one, Problem):
            complain(f"{one.sample}: {one.reason}")
            bad += 1
        elif one.before:
            before += 1
        else:
            written += 1
    if not written and not before:
        raise FieldcraftError("none of the inputs could be predicted; nothing was written.")
    there = f"; {before} {'was' if before == 1 else 'were'} there already" if before else ""
    there += ", probabilities beside each" if before and probabilities else ""
    skipped = f"; {bad} could not be read" if bad else ""
    masks = "mask" if written == 1 else "masks"
    beside = f", a map of uncertainty{' and probabilities' if probabilities else ''} beside each" if written else ""
    say(f"{written} {masks} written{beside}{there}{skipped}: {out}")
