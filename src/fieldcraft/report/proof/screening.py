"""The screening: who was ranked where, and which factors seemed to do something together."""

from dataclasses import dataclass

from fieldcraft.records.proof import Between, Proof
from fieldcraft.report.page import Absent, columns
from fieldcraft.report.proof.effects import drawn
from fieldcraft.report.proof.forest import Forest, Item, forest
from fieldcraft.report.proof_words import Units, joined, margin_of, units_of

SHOWN = 3
"""Aliases that are named."""


@dataclass(frozen=True)
class Screening:
    """A ranking, and interactions if some were seen."""

    ranking: Forest | None
    interactions: Forest | None


def screening(proof: Proof) -> Screening | Absent:
    """What the half-on plans showed."""
    if not proof.ranking and not proof.interactions:
        return Absent("Nothing was screened: there were few enough factors to look at each of them by itself.")
    units = units_of(proof)
    return Screening(_ranking(proof, units), _interactions(proof, units))


def _around(effect: float, error: float | None) -> Between:
    reach = error or 0.0
    return Between(value=effect, low=effect - reach, high=effect + reach, pairs=0)


def _told(effect: float, error: float | None, units: Units) -> str:
    return units.signed(effect) + (f" ± {units.plain(error)}" if error is not None else "")


def _ranking(proof: Proof, units: Units) -> Forest | None:
    items = tuple(
        Item(
            name=one.factor,
            verdict="",
            kind="plain",
            under=(_aliases(one.aliases),) if one.aliases else (),
            effect=drawn(_around(one.effect, one.error), units, "plain"),
            told=f"{one.factor}: {_told(one.effect, one.error, units)}",
            cells=(str(place), _told(one.effect, one.error, units)),
        )
        for place, one in enumerate(proof.ranking, 1)
    )
    if not items:
        return None
    return forest(
        items,
        caption="Main effects, averaged over plans in which half of the factors are on; lines are one standard error.",
        first="Factor",
        drawn="Main effect" + (f", {units.name}" if units.name else ""),
        columns=columns("#Rank", "#Effect"),
        margin=units.scale * margin_of(proof),
    )


def _aliases(aliases: tuple[str, ...]) -> str:
    rest = len(aliases) - SHOWN
    return f"cannot be told from {joined([*aliases[:SHOWN], f'{rest} more'] if rest > 0 else aliases)}"


def _interactions(proof: Proof, units: Units) -> Forest | None:
    items = tuple(
        Item(
            name=" × ".join(one.factors),
            verdict="",
            kind="plain",
            under=(one.note,) if one.note else (),
            effect=drawn(_around(one.effect, one.error), units, "plain"),
            told=f"{' with '.join(one.factors)}: {_told(one.effect, one.error, units)}",
            cells=(_told(one.effect, one.error, units),),
        )
        for one in proof.interactions
    )
    if not items:
        return None
    return forest(
        items,
        caption="Seen while screening, and not confirmed: what two factors did together beyond what each did alone.",
        first="Two factors",
        drawn="Interaction" + (f", {units.name}" if units.name else ""),
        columns=columns("#Effect"),
        margin=units.scale * margin_of(proof),
    )
