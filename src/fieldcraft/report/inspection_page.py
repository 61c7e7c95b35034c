"""The page to explore an inspection: one file of HTML with its style, its script and its data inside."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from fieldcraft.inspection.inspection import Inspection
from fieldcraft.records.files import write_whole
from fieldcraft.records.finding import Severity
from fieldcraft.report.explorer.effective import Effective, effective_data
from fieldcraft.report.explorer.network import network_data
from fieldcraft.report.explorer.scene import scene
from fieldcraft.report.explorer.words import BY
from fieldcraft.report.templating import environment, printable
from fieldcraft.report.wording import THIN, number, plural, whole

SCRIPTS = ("numbers", "network", "tree", "search", "field", "panel", "overview", "findings", "bench", "start")
"""Pieces of the page's script, in their order."""


@dataclass(frozen=True)
class Tile:
    """One number above everything."""

    title: str
    value: str
    meaning: str


def inspection_page(
    inspection: Inspection, *, image: Path | None = None, effective: Mapping[str, Effective] | None = None
) -> str:
    """The whole page as HTML; `image` is what fields are drawn on, `effective` holds fields by module or output.

    Raises: InspectError when `image` cannot be read.
    """
    uri, shown = scene(image)
    data: dict[str, object] = {**network_data(inspection), "scene": {"uri": uri, "own": image is not None}}
    if effective:
        data["effective"] = effective_data(inspection.anatomy, effective)
    script = _script()
    page = (
        environment()
        .get_template("inspection.html")
        .render(
            name=inspection.anatomy.name,
            line=_line(inspection),
            tiles=_tiles(inspection),
            found=len(inspection.findings),
            untraced=inspection.anatomy.untraced,
            picture=shown,
            script=Markup(script),
            digest=b64encode(sha256(script.encode()).digest()).decode(),
            data=Markup(in_script(data)),
        )
    )
    return printable(page)


def write_inspection_page(
    inspection: Inspection,
    path: Path,
    *,
    image: Path | None = None,
    effective: Mapping[str, Effective] | None = None,
) -> Path:
    """Write the page to `path`.

    Raises: InspectError when `image` cannot be read; RunError when `path` cannot be written.
    """
    write_whole(path, inspection_page(inspection, image=image, effective=effective))
    return path


def in_script(value: Mapping[str, object]) -> str:
    """JSON that may stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _script() -> str:
    folder = files("fieldcraft.report").joinpath("templates", "explorer")
    pieces = (folder.joinpath(f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{"".join(pieces)}}})();\n'


def _line(inspection: Inspection) -> str:
    anatomy = inspection.anatomy
    taken = ", ".join(
        f"{f'{one.name} ' if one.name else ''}{BY.join(map(str, one.shape))}"
        for one in (anatomy.values[value] for value in anatomy.inputs)
    )
    how = "traced without numbers" if anatomy.how == "meta" else "traced on a small real input"
    return f"fieldcraft inspect \N{MIDDLE DOT} {taken} \N{MIDDLE DOT} {plural(len(anatomy.rows), 'operation')}, {how}"


def _tiles(inspection: Inspection) -> tuple[Tile, ...]:
    anatomy = inspection.anatomy
    samples = "one sample" if anatomy.batch == 1 else f"{anatomy.batch} samples"
    uncounted = len(anatomy.uncounted)
    training = anatomy.memory.training
    return (
        Tile("Parameters", _amount(anatomy.parameter_count), whole(anatomy.parameter_count)),
        Tile(
            "Multiply-adds",
            _amount(anatomy.macs),
            f"for {samples}" + (f"; {plural(uncounted, 'operation')} not counted" if uncounted else ""),
        ),
        Tile(
            "Activation memory",
            _memory(anatomy.memory.inference),
            f"at its most in inference; {_memory(training)} kept in training"
            if training is not None
            else "in inference",
        ),
        _field_tile(inspection),
        Tile("Findings", whole(len(inspection.findings)), _severities(inspection)),
    )


def _field_tile(inspection: Inspection) -> Tile:
    anatomy = inspection.anatomy
    makers = [anatomy.maker[value] for value in anatomy.outputs if value in anatomy.maker]
    fields = [row.fields[0] for row in makers if row.fields and row.fields[0].axes]
    if not fields:
        return Tile("Receptive field", "\N{EN DASH}", "of the output: not known, or the input has no spatial axes")
    axes = fields[0].axes
    words = ["all" if one.everywhere else whole(one.size) for one in axes]
    value = words[0] if len(set(words)) == 1 else BY.join(words)
    local = max(
        (one.size for row in anatomy.rows for field in row.fields for one in field.axes if not one.everywhere),
        default=0,
    )
    meaning = (
        "of the output, in pixels" if value != "all" else f"the whole input; {whole(local)} px before it is pooled"
    )
    return Tile("Receptive field", value, meaning)


def _severities(inspection: Inspection) -> str:
    counts = [(one, sum(found.severity is one for found in inspection.findings)) for one in reversed(Severity)]
    names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    told = ", ".join(plural(count, names[one]) for one, count in counts if count) or "nothing was found"
    return told + (f"; {whole(inspection.ignored)} ignored" if inspection.ignored else "")


def _amount(value: float) -> str:
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{number(value / limit)}{THIN}{prefix}"
    return whole(value)


def _memory(value: float) -> str:
    for limit, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= limit:
            return f"{number(value / limit)}{THIN}{unit}"
    return f"{whole(value)}{THIN}bytes"
