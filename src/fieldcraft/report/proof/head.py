"""Top of a proof's page: whether to trust it, and what it says."""

from dataclasses import dataclass

from fieldcraft.records.proof import Proof, Word
from fieldcraft.report.proof_words import (
    GLYPHS,
    RULES,
    changes,
    class_sentences,
    control_line,
    control_title,
    lead,
    units_of,
    warnings,
)


@dataclass(frozen=True)
class Card:
    """One control."""

    title: str
    state: str
    """ "passed", "failed" or "open"."""
    line: str
    rule: str
    because: str
    """What is missing; empty when there are numbers."""


@dataclass(frozen=True)
class Sentence:
    """What is said of all factors of one verdict."""

    glyph: str
    kind: str
    text: str


@dataclass(frozen=True)
class Head:
    """The first section."""

    lead: str
    trusted: bool
    warnings: tuple[str, ...]
    cards: tuple[Card, ...]
    sentences: tuple[Sentence, ...]
    changes: tuple[str, ...]


KINDS: dict[Word, str] = {
    "paid": "paid",
    "hurt": "hurt",
    "no effect that matters": "same",
    "cannot tell yet": "open",
}
"""Classes of the style sheet, and marks of the charts."""


def head(proof: Proof) -> Head:
    """Controls first, then a sentence for each verdict that was given."""
    units = units_of(proof)
    cards = tuple(
        Card(
            title=control_title(one),
            state={True: "passed", False: "failed", None: "open"}[one.passed],
            line=control_line(one, units),
            rule=RULES[one.kind],
            because="" if one.verdict.effect else one.because,
        )
        for one in proof.controls
    )
    sentences = tuple(Sentence(GLYPHS[word], KINDS[word], said) for word, said in class_sentences(proof))
    return Head(lead(proof), proof.trusted, warnings(proof), cards, sentences, changes(proof))
