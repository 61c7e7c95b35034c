"""Every factor's effect with its interval and verdict."""

from dataclasses import dataclass

from fieldcraft.records.proof import Between, Proof, Verdict
from fieldcraft.report.charts.forest import Effect
from fieldcraft.report.charts.marks import Mark
from fieldcraft.report.page import Absent, Table, columns
from fieldcraft.report.proof.forest import Forest, Item, forest
from fieldcraft.report.proof.head import KINDS
from fieldcraft.report.proof_words import (
    Units,
    cost_difference,
    direction,
    glyph_shown,
    margin_of,
    margin_shown,
    note,
    ordered,
    pairs_shown,
    units_of,
    word_shown,
)

MARKS: dict[str, Mark] = {"paid": "paid", "hurt": "hurt", "same": "same", "open": "open"}


@dataclass(frozen=True)
class Effects:
    """The forest and how to read it."""

    intro: str
    trusted: bool
    forest: Forest
    timed: str
    reasons: Table


def effects(proof: Proof) -> Effects | Absent:
    """All factors, the best first."""
    if not proof.verdicts:
        return Absent("No factor was tested.")
    units, setting = units_of(proof), proof.setting
    unit = f", {units.name}" if units.name else ""
    shown = columns("#Effect", "#Pairs", "#Training time")
    made = forest(
        tuple(_item(proof, one, units) for one in ordered(proof)),
        caption=f"Each factor's effect (on minus off{unit}), the best first; {direction(setting)}.",
        first="Factor and verdict",
        drawn=f"Effect with its interval{unit}",
        columns=shown,
        margin=units.scale * margin_of(proof),
    )
    intro = (
        "The mark is the mean over all pairs, the line an interval that stays right however often one looks, and each "
        f"dot below it one pair. Effects inside of the shaded band (less than {margin_shown(proof)} either way) do "
        "not matter. Intervals that leave the drawing end in an arrow; their numbers are in the table."
    )
    return Effects(intro, proof.trusted, made, _timed(proof), _reasons(proof))


def _timed(proof: Proof) -> str:
    if proof.setting.equal == "minutes":
        return "All arms had the same planned time: what a factor costs in training time is already in its effect."
    return "All arms had the same number of steps: what a factor costs in training time is not in its effect."


def _reasons(proof: Proof) -> Table:
    rows = tuple(
        (one.factor, word_shown(proof, one), " ".join([one.because, *one.notes]), "; ".join(one.failed) or "–")
        for one in ordered(proof)
    )
    return Table("Why, factor by factor", columns("Factor", "Verdict", "Why", "Pairs that do not count"), rows)


def drawn(effect: Between | None, units: Units, mark: Mark, points: tuple[float, ...] = ()) -> Effect:
    """An effect in the units of the page."""
    shown = tuple(units.scale * value for value in points)
    if effect is None:
        return Effect(None, mark, shown)
    return Effect((units.scale * effect.value, units.scale * effect.low, units.scale * effect.high), mark, shown)


def kind_of(proof: Proof, verdict: Verdict) -> str:
    """The class of a verdict; an open one if nothing is to be trusted."""
    return KINDS[verdict.word] if proof.trusted else "open"


def _item(proof: Proof, verdict: Verdict, units: Units) -> Item:
    kind, word = kind_of(proof, verdict), word_shown(proof, verdict)
    planned = "in the plan, left out" if verdict.factor in proof.setting.base else "not in the plan, added"
    effect = verdict.effect
    told = f"{units.signed(effect.value)} ({units.ends(effect)})" if effect else "–"
    extra = note(proof, verdict)
    return Item(
        name=verdict.factor,
        verdict=f"{glyph_shown(proof, verdict)} {word}",
        kind=kind,
        under=(planned, extra) if extra else (planned,),
        effect=drawn(effect, units, MARKS[kind], verdict.differences),
        told=f"{verdict.factor}: {told}, {word}",
        cells=(told, pairs_shown(verdict), cost_difference(verdict.cost.seconds, "s")),
    )
