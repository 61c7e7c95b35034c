"""The data of a finished run, read, audited, parted and relabelled as it was."""

import ast
import csv
import io
import tempfile
from pathlib import Path

from pydantic import TypeAdapter

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import RunError
from fieldcraft.records.files import read_json
from fieldcraft.verbs.audit import Care
from fieldcraft.verbs.prepare import Prepared, prepare
from fieldcraft.verbs.provenance import Provenance, Request
from fieldcraft.verbs.run import Run


def reopened(run: Run, data: object = None) -> Prepared:
    """The samples of a run. `data`: the same source again, where it was an object in memory.

    Raises: RunError when the data has changed since, or lay in memory and was not given.
    """
    request = request_of(run)
    source = request.source if data is None else data
    options = read_options(request)
    with tempfile.TemporaryDirectory() as scratch:
        care = Care(skip_bad=request.skip_bad, relabel=_fixes(request, Path(scratch)))
        prepared = prepare(source, options, seed=request.seed, plan=run.plan, care=care)
    if prepared.digest != request.data_digest:
        raise RunError(
            f"{source if isinstance(source, str) else 'the data'} is no longer what {run.path} was made with: its "
            "content has changed. Fit it again."
        )
    return prepared


def request_of(run: Run) -> Request:
    """What was asked for when the run was made."""
    return TypeAdapter(Provenance).validate_python(read_json(run.folder.provenance, "provenance")).request


def read_options(request: Request) -> ReadOptions:
    """How the data was read."""
    found = dict(one.partition("=")[::2] for one in request.options)
    target = ast.literal_eval(found.pop("target", "()"))
    return TypeAdapter(ReadOptions).validate_python({**found, "target": target})


def _fixes(request: Request, folder: Path) -> Path | None:
    if not request.relabel:
        return None
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["id", "label"])
    for one, label in request.relabel:
        lines.writerow([one, label])
    path = folder / "relabel.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path
