"""What a proof of the run says of its tips, where there is one."""

from dataclasses import dataclass

from fieldcraft.records.proof import Proof, Verdict
from fieldcraft.report.page import Absent, Table, columns
from fieldcraft.report.proof_words import (
    direction,
    glyph_shown,
    holds,
    lead,
    ordered,
    pairs_shown,
    units_of,
    warnings,
    word_shown,
)
from fieldcraft.report.reading import Run

OF_MASKS = ("skips", "output-stride", "two-pathways", "dense-crf")
"""Tips for masks of which a reader wants to know what they change, also where they were not tested."""

PAGE = "proof/proof.html"
HOW = "fieldcraft prove RUN says what each of them changes."


@dataclass(frozen=True)
class Proven:
    """Verdicts, and where the rest of them stands."""

    said: tuple[str, ...]
    table: Table
    page: str
    """Of the proof, from the run's folder."""


def proven(run: Run) -> Proven | Absent | None:
    """None for runs without a proof, unless they are of masks."""
    proof = run.proof
    if proof is None:
        nothing = f"Nothing was proved here: {_listed()} stand on rules alone. {HOW}"
        return Absent(nothing) if run.of_masks else None
    units = units_of(proof)
    rows = [_row(proof, verdict) for verdict in ordered(proof)]
    tested = {verdict.factor for verdict in proof.verdicts}
    rows += [
        (name, "not tested", "", "", proof.not_tested[name])
        for name in OF_MASKS
        if name in proof.not_tested and name not in tested
    ]
    unit = f", in {units.name}" if units.name else ""
    caption = f"Effects: with the tip minus without it{unit}; {direction(proof.setting)}."
    titles = columns("Tip", "Verdict", "Effect", "#Pairs", "Why")
    said = (lead(proof), *warnings(proof), *holds(proof))
    return Proven(said=said, table=Table(caption, titles, tuple(rows)), page=PAGE)


def _row(proof: Proof, verdict: Verdict) -> tuple[str, ...]:
    effect = units_of(proof).effect(verdict.effect) if verdict.effect else "–"
    word = f"{glyph_shown(proof, verdict)} {word_shown(proof, verdict)}"
    return verdict.factor, word, effect, pairs_shown(verdict), verdict.because


def _listed() -> str:
    *first, last = OF_MASKS
    return f"{', '.join(first)} and {last}"
