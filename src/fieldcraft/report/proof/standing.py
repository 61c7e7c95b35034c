"""Where the verdicts hold, and what it would take to decide the rest."""

from dataclasses import dataclass

from fieldcraft.records.proof import Proof
from fieldcraft.report.page import Absent, Table, columns
from fieldcraft.report.proof_words import holds, pairs_shown, roughly, undecided, units_of
from fieldcraft.report.wording import whole


@dataclass(frozen=True)
class Standing:
    """Sentences, and a table of what is open."""

    holds: tuple[str, ...]
    claim: str
    undecided: tuple[str, ...]
    table: Table | None


def standing(proof: Proof) -> Standing | Absent:
    """What is claimed, and what is not yet."""
    if not proof.verdicts:
        return Absent("No factor was tested.")
    kind = {
        "total": "Effects are total: without a factor, the other tips decide again, as they would in a new plan.",
        "direct": "Effects are direct: everything else stayed pinned while a factor was changed.",
    }[proof.setting.effect]
    claim = (
        f"{kind} They speak about this data and this way of training, on seeds and folds like those that were drawn, "
        "and about nothing beyond them."
    )
    return Standing(holds(proof), claim, undecided(proof) if proof.trusted else (), _table(proof))


def _table(proof: Proof) -> Table | None:
    rest = [one for one in proof.verdicts if one.word == "cannot tell yet"]
    if not rest or not proof.trusted:
        return None
    units = units_of(proof)
    rest.sort(key=lambda one: (one.pairs_needed is None, one.seconds_needed or 0.0, one.pairs_needed or 0))
    rows = tuple(
        (
            one.factor,
            units.effect(one.effect) if one.effect else "–",
            pairs_shown(one),
            whole(one.pairs_needed) if one.pairs_needed is not None else "–",
            roughly(one.seconds_needed) if one.seconds_needed is not None else "–",
        )
        for one in rest
    )
    titles = columns("Factor", "Effect so far", "#Pairs", "#More pairs", "#More time")
    return Table("What is open, the nearest first; estimates from the noise seen so far.", titles, rows)
