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
    from fieldcraft.tips.rule import Rule
    from fieldcraft.tips.symptoms import all_watches
    from fieldcraft.tips.watch import Watch

    pages: tuple[Rule | Watch, ...] = (*all_rules(), *all_watches())
    if code is None:
        tell_columns((one.code, one.name, one.severity.value) for one in pages)
        return
    tell(page(code))
