"""Pairs, one by one: scores without and with each factor."""

from dataclasses import dataclass

from fieldcraft.records.proof import Outcome, Proof, Verdict
from fieldcraft.report.charts.slopes import slope_chart
from fieldcraft.report.metrics import metric
from fieldcraft.report.page import Absent, Figure
from fieldcraft.report.proof_words import ordered, units_of
from fieldcraft.report.wording import percent, plural

OPEN = 9
"""Drawings that are shown at once; further ones are folded."""


@dataclass(frozen=True)
class Pairs:
    """A drawing for each factor that has pairs."""

    intro: str
    first: tuple[Figure, ...]
    more: tuple[Figure, ...]
    none: str


def pairs(proof: Proof) -> Pairs | Absent:
    """All factors, in the order of the forest."""
    found = [(one, scores(proof, one)) for one in ordered(proof)]
    figures = tuple(_figure(proof, one, seen) for one, seen in found if seen)
    without = [one.factor for one, seen in found if not seen]
    if not figures:
        return Absent("No pair has ended yet.")
    label = metric(proof.setting.metric).label
    unit = ", %" if units_of(proof).scale == 100 else ""
    intro = (
        f"Each line is one pair: two trainings on the same seed and fold, one without the factor and one with it "
        f"({label}{unit} on the fold). Dashed lines got worse; the thick line is the mean. Each drawing has its own "
        "scale."
    )
    none = f"Without a whole pair: {', '.join(without)}." if without else ""
    return Pairs(intro, figures[:OPEN], figures[OPEN:], none)


def scores(proof: Proof, verdict: Verdict) -> tuple[tuple[float, float], ...]:
    """(without, with) of every whole pair at the stage of the verdict."""
    planned = verdict.factor in proof.setting.base
    base, toggled = (_of(proof, verdict, kind) for kind in ("base", "toggled"))
    both = [(base[pair], toggled[pair]) for pair in sorted(base.keys() & toggled.keys())]
    return tuple((other, own) if planned else (own, other) for own, other in both)


def _of(proof: Proof, verdict: Verdict, kind: str) -> dict[int, float]:
    return {
        one.trial.pair: one.score
        for one in proof.outcomes
        if one.score is not None
        and one.trial.stage == verdict.stage
        and one.trial.arm.kind == kind
        and (kind == "base" or toggles(one, verdict.factor))
    }


def toggles(outcome: Outcome, factor: str) -> bool:
    """Whether the trial's arm is the one that changes this factor."""
    return outcome.trial.arm.name in (f"without {factor}", f"with {factor}")


def _figure(proof: Proof, verdict: Verdict, seen: tuple[tuple[float, float], ...]) -> Figure:
    higher, units = proof.setting.higher_is_better, units_of(proof)
    better = sum((on > off) == higher and on != off for off, on in seen)
    chart = slope_chart(
        seen,
        label=f"{verdict.factor}: {better} of {plural(len(seen), 'pair')} better with it.",
        higher_is_better=higher,
        unit=units.scale,
    )
    told = f"{better} of {plural(len(seen), 'pair')} better with it ({percent(better / len(seen), 0)})."
    return Figure(chart, told, verdict.factor)
