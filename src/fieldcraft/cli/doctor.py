"""`fieldcraft doctor RUN`: what training did, and what to change."""

from typing import Annotated

import typer

from fieldcraft.cli.console import tell
from fieldcraft.cli.options import RunPath


def doctor(
    run: RunPath,
    json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
) -> None:
    """Say what was wrong with RUN's training, and what to change."""
    from pydantic import TypeAdapter

    from fieldcraft.records.finding import Finding
    from fieldcraft.tips.symptoms import all_watches
    from fieldcraft.verbs.doctor import doctor as look

    found = look(run)
    if json:
        tell(TypeAdapter(tuple[Finding, ...]).dump_json(found, indent=1).decode())
        return
    for finding in found:
        tell(f"{finding.code} {finding.name} ({finding.severity})\n  {finding.subject}: {finding.message}")
        tell(f"  Change: {finding.remedy}. More: fieldcraft explain {finding.code}\n")
    tell(f"{len(found) or 'Nothing'} found; {len(all_watches())} symptoms were looked for.")
