"""The last look at the test part: the plan against what was kept of it."""

from dataclasses import dataclass

from fieldcraft.records.proof import Proof
from fieldcraft.report.metrics import metric
from fieldcraft.report.page import Absent, Table, columns
from fieldcraft.report.proof_words import looked, units_of


@dataclass(frozen=True)
class LastLook:
    """What came of it."""

    sentences: tuple[str, ...]
    table: Table


def last_look(proof: Proof) -> LastLook | Absent:
    """Verdicts came from validation folds; this came from samples that took no part."""
    look = proof.look
    if look is None:
        return Absent("The test part was not looked at: verdicts come from validation folds alone.")
    units, known = units_of(proof), metric(proof.setting.metric)
    count = f"This was look {look.look} at this test part, and the ledger says so."
    wary = (
        " Choices made after an earlier look make later numbers too good: trust the first look most."
        if look.look > 1
        else ""
    )
    sentences = (looked(proof, look), count + wary)
    rows = (
        ("The plan as it stood", known.show(look.planned) if units.scale == 100 else units.plain(look.planned)),
        ("Without what did not pay", known.show(look.kept) if units.scale == 100 else units.plain(look.kept)),
    )
    return LastLook(sentences, Table(f"{known.label} on the test part.", columns("Plan", f"#{known.label}"), rows))
