"""`fieldcraft audit DATA`: what is wrong with the samples, before anything is trained on them."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from fieldcraft.cli.console import say, tell, tell_columns
from fieldcraft.cli.options import AsKind, Data, Download, Group, Relabel, Target, Task, Time, Void, read_options

if TYPE_CHECKING:
    from fieldcraft.records.audit import Audit

FOUND = 3
"""Exit code when something would spoil the result."""
SHOWN = 200
"""Lines of the table; all are in the JSON."""


def audit(
    data: Data,
    kind: AsKind = None,
    target: Target = None,
    group: Group = None,
    time: Time = None,
    task: Task = None,
    download: Download = False,
    void: Void = None,
    relabel: Relabel = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything found, as JSON on standard output.")] = False,
) -> None:
    """Look for what is wrong with DATA: damaged files, duplicates, leaks between parts, and more.

    Exit code 3 when something would spoil the result, 0 otherwise.
    """
    options = read_options(kind, target, group, time, task, download, void)
    from pydantic import TypeAdapter

    from fieldcraft.records.audit import Audit
    from fieldcraft.records.versions import stamp
    from fieldcraft.verbs.audit import audit as look

    found = look(data, options=options, relabel=relabel)
    if as_json:
        body = TypeAdapter(Audit).dump_python(found, mode="json")
        tell(json.dumps(stamp("audit", body), indent=1, allow_nan=False))
    else:
        _table(found)
    if found.stops:
        raise typer.Exit(FOUND)


def _table(found: "Audit") -> None:
    rows = [
        (one.severity, one.kind, sample, detail or one.reason)
        for one in found.complaints
        for sample, detail in zip(one.samples or ("-",), one.details or ("",) * max(1, len(one.samples)), strict=True)
    ]
    if rows:
        tell_columns([("severity", "kind", "sample", "reason"), *rows[:SHOWN]])
    if len(rows) > SHOWN:
        say(f"and {len(rows) - SHOWN:,} more: --json has all")
    for one in found.complaints:
        if one.details:
            say(f"{one.kind}: {one.reason}.")
    for text in found.looked:
        say(f"{text[0].upper()}{text[1:]}.")
    stops, warnings = (
        len({sample for one in many for sample in one.samples}) for many in (found.stops, found.warnings)
    )
    if not found.complaints:
        tell(f"Nothing wrong was found with {found.samples:,} samples.")
    elif found.stops:
        tell(f"{stops:,} of {found.samples:,} samples would spoil the result; {warnings:,} more are worth a look.")
    else:
        tell(f"Nothing would spoil the result; {warnings:,} of {found.samples:,} samples are worth a look.")
