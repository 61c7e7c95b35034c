"""`fieldcraft tips`: the know-how, and what it decided in a plan."""

from pathlib import Path
from typing import Annotated

import typer

from fieldcraft.cli.console import tell, tell_columns
from fieldcraft.errors import PlanError


def tips(
    name: Annotated[str | None, typer.Argument(metavar="TIP", help="Print this tip's card.")] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A plan: also say what the tip decided there.")
    ] = None,
) -> None:
    """List the tips in their order, or print one of them."""
    from fieldcraft.plan.shape import nearest
    from fieldcraft.plan.toml import read_plan
    from fieldcraft.tips import ALL
    from fieldcraft.tips.outside import with_outside

    decisions = read_plan(plan).decisions if plan else ()
    known = {tip.name: tip for tip in with_outside(ALL)}
    if name is None:
        said = {one.tip: f"{one.outcome}: {one.because}" for one in decisions}
        tell_columns((tip.name, said.get(tip.name, headline(tip.card))) for tip in known.values())
        return
    if name not in known:
        raise PlanError(f"no tip named {name}{nearest(name, tuple(known)) or '.'} `fieldcraft tips` lists all.")
    tell(f"{name}\n\n{known[name].card}")
    if rules := known[name].checks:
        tell(f"\nLooks for {', '.join(f'{rule.code} {rule.name}' for rule in rules)}.")
    if watches := known[name].watches:
        tell(f"\nWatches training for {', '.join(f'{watch.code} {watch.name}' for watch in watches)}.")
    for one in decisions:
        if one.tip == name:
            tell(f"\nIn {plan}: {one.outcome}, {one.because}")
            if one.sets:
                tell(f"Sets {', '.join(one.sets)}.")


def headline(card: str) -> str:
    """What a card's first line says, without the tip's name."""
    first = card.partition("\n")[0]
    return first.partition(": ")[2] or first
