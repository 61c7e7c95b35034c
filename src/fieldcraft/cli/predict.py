"""`fieldcraft predict RUN INPUT...`: labels with calibrated confidence, as a table."""

from pathlib import Path
from typing import Annotated

import typer

from fieldcraft.cli.console import complain, say
from fieldcraft.cli.options import RunPath
from fieldcraft.errors import FieldcraftError


def predict(
    run: RunPath,
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Files or folders like those trained on.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .csv or .parquet file.")] = Path("predictions.csv"),
) -> None:
    """Predict INPUT with the model of RUN.

    Inputs that cannot be read are named one by one; the rest are predicted.
    """
    if out.suffix not in (".csv", ".parquet"):
        raise FieldcraftError(f"--out must end in .csv or .parquet, but got {out.name!r}.")
    from fieldcraft.prediction.model import load_model
    from fieldcraft.records.files import write_whole

    found = load_model(run).predict_files(inputs)
    for problem in found.problems:
        complain(f"{problem.sample}: {problem.reason}")
    if found.frame.empty:
        raise FieldcraftError("none of the inputs could be predicted; nothing was written.")
    write_whole(out, found.frame.to_csv(index=False) if out.suffix == ".csv" else found.frame.to_parquet(index=False))
    skipped = f"; {len(found.problems)} could not be read" if found.problems else ""
    say(f"{len(found.frame)} predicted{skipped}: {out}")
