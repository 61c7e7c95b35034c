"""`fieldcraft fingerprint DATA`: the facts that plans are made from."""

from pathlib import Path
from typing import Annotated

import typer

from fieldcraft.cli.console import say, tell, tell_columns
from fieldcraft.cli.options import AsKind, Data, Download, Group, Seed, Target, Task, Time, Void, read_options


def fingerprint(
    data: Data,
    limit: Annotated[
        str, typer.Option("--limit", metavar="TIME", help="For what takes probes: 20s, 2m, or none.")
    ] = "20s",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with the facts, too.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
    kind: AsKind = None,
    target: Target = None,
    group: Group = None,
    time: Time = None,
    task: Task = None,
    download: Download = False,
    void: Void = None,
    seed: Seed = 0,
) -> None:
    """Measure what DATA is like (symmetry, geometry, topology, noise) and what this machine can do."""
    options = read_options(kind, target, group, time, task, download, void)
    from fieldcraft.cli.options import limit as time_limit
    from fieldcraft.report.fact_rows import data_rows, deep_rows, machine_rows, reference_rows, symmetry_rows
    from fieldcraft.verbs.fingerprint import facts_of

    found = facts_of(data, options=options, limit=time_limit(limit), seed=seed)
    if html is not None:
        say(f"The page: {found.write_page(html)}")
    facts = found.facts
    if json:
        from pydantic import TypeAdapter

        from fieldcraft.records.facts import Facts

        tell(TypeAdapter(Facts).dump_json(facts, indent=1).decode())
        return
    known, deep = facts.data, facts.data.deep
    tell(f"{known.name}: {known.samples:,} samples, {known.target.outputs} {known.target.task} outputs")
    for name, value, method, sample in (*data_rows(known), *deep_rows(deep, known.target.task)):
        tell(f"{name}: {value}\n    {method}; {sample}")
    if deep.symmetry is not None:
        tell("\nWhich changes of the image leave the label alone (gain of a probe in points, 95 %, margin):")
        tell_columns(symmetry_rows(deep.symmetry.value))
        tell(f"{deep.symmetry.method}; {deep.symmetry.sample}")
    tell("")
    tell_columns(machine_rows(facts.machine))
    tell_columns((*row[:2], f"{row[2]} ms", f"{row[3]} G/s") for row in reference_rows(facts.machine.reference))
    for reason in deep.left_out:
        tell(f"not measured: {reason}")
