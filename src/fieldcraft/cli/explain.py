"""`fieldcraft explain CODE`: the page of a finding."""

from typing import Annotated

import typer

from fieldcraft.cli.console import tell, tell_columns


def explain(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="Such as FC001 or bias-before-norm; none lists all.")
    ] = None,
) -> None:
    """Say what a finding means, why it matters and what to do."""
    from fieldcraft.inspection.explain import explain as page
    from fieldcraft.inspection.selection import all_rules

    if code is None:
        tell_columns((rule.code, rule.name, rule.severity.value) for rule in all_rules())
        return
    tell(page(code))
