"""Draft: fingerprint the data, let every tip decide, and give the plan with its reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import PlanError
from fieldcraft.plan.masks import PatchInput
from fieldcraft.records.brief import Brief
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Facts
from fieldcraft.tips import ALL
from fieldcraft.tips.draft import Draft, check_decides
from fieldcraft.tips.draft import draft as fold
from fieldcraft.tips.interface import (
    CompiledStep,
    Measurement,
    MemoryNeed,
    PredictionTime,
    RateRange,
    StepTime,
    Tip,
    TransferScore,
)
from fieldcraft.tips.outside import with_outside
from fieldcraft.train.engine import restored
from fieldcraft.verbs.audit import Care, limit_of
from fieldcraft.verbs.budget import seconds
from fieldcraft.verbs.compiled_step import compiled_steps
from fieldcraft.verbs.deep import share_s, with_deep_facts
from fieldcraft.verbs.evidence import prior
from fieldcraft.verbs.machine import known_machine
from fieldcraft.verbs.masks.memory import memory_needs
from fieldcraft.verbs.measure import StepTimer
from fieldcraft.verbs.prepare import Prepared, Wardrobe, known, prepare
from fieldcraft.verbs.range_test import range_test
from fieldcraft.verbs.transfer import transfer_score
from fieldcraft.verbs.weights import Weights, listed

MEASURING = 0.03  # share of the budget for the measurements of one question; tips ask two or three
MEASURING_S = (0.7, 8.0)  # bounds of the same
CACHE = Path.home() / ".cache" / "fieldcraft"


def draft(
    data: object,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    budget: str | float | None = None,
    edits: Sequence[str] = (),
    without: Sequence[str] = (),
    only: Sequence[str] = (),
    seed: int = 0,
    skip_bad: bool = False,
    relabel: str | Path | None = None,
    evidence: bool = True,
    weights: Weights | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Draft:
    """The plan for some data, with a decision of every tip.

    `data`: a path, a built-in name, (X, y), a frame, or a map-style torch Dataset. `budget`: "60s", "10m", seconds, or
    None for no limit. `skip_bad`: go on without samples that would spoil the result. `relabel`: a CSV with corrected
    labels (id, label). `evidence`: leave out tips that proofs on file speak against. `weights`: pretrained ones to take
    over, as `fit` has them. Raises: DataError, PlanError.
    """
    budget_s = seconds(budget)
    care = Care(
        skip_bad=skip_bad, relabel=None if relabel is None else Path(relabel), limit_s=limit_of(budget_s), say=say
    )
    prepared = prepare(data, options, seed=seed, edits=edits, care=care, weights=listed(weights))
    wardrobe = Wardrobe(prepared, CACHE)
    with restored():
        facts = known(prepared, budget_s, machine=known_machine(CACHE, budget_s=budget_s))
        if not isinstance(prepared.start.input, PatchInput):
            facts = with_deep_facts(facts, wardrobe.samples(prepared.start), seed=seed, limit_s=share_s(facts))
        if evidence:
            facts = replace(facts, evidence=prior())
        return decide(prepared, facts, wardrobe, edits, without, only)


def decide(
    prepared: Prepared,
    facts: Facts,
    wardrobe: Wardrobe,
    edits: Sequence[str] = (),
    without: Sequence[str] = (),
    only: Sequence[str] = (),
) -> Draft:
    """Let the tips decide over prepared data."""
    tips = with_outside(ALL)
    return fold(
        Brief(facts=facts),
        prepared.start,
        tips,
        measure=measurer(facts, wardrobe),
        without=left_out_by(without, only),
        edits=edits,
        asked=frozenset(only),
    )


RANGE_SHARE, RANGE_S = 0.04, 30.0
"""Share of the budget for a learning-rate range test, or for scores of weights, and the most seconds of it."""


def measurer(
    facts: Facts, wardrobe: Wardrobe, *, limit_s: float | None = None
) -> Callable[[tuple[Measurement, ...]], Mapping[str, Fact[float]]]:
    """What answers all questions of tips, each within its share of the budget, or within `limit_s` seconds."""
    budget_s = facts.budget.seconds
    range_s = limit_s or (RANGE_S if budget_s is None else min(RANGE_S, RANGE_SHARE * budget_s))
    clock = timer(facts, wardrobe) if limit_s is None else StepTimer(wardrobe.timed, limit_s)

    def measure(questions: tuple[Measurement, ...]) -> Mapping[str, Fact[float]]:
        times = tuple(one for one in questions if isinstance(one, StepTime | PredictionTime))
        ranges = [one for one in questions if isinstance(one, RateRange)]
        compiled = [one for one in questions if isinstance(one, CompiledStep)]
        scores = [one for one in questions if isinstance(one, TransferScore)]
        answers = dict(clock(times)) if times else {}
        if compiled:
            most_s = min(one.limit_s for one in compiled)
            answers |= compiled_steps(compiled, wardrobe.samples(compiled[0].plan), min(most_s, limit_s or most_s))
        if needs := [one for one in questions if isinstance(one, MemoryNeed)]:
            answers |= memory_needs(needs, wardrobe.masks(needs[0].plan))
        for one in ranges:
            answers |= range_test(one, wardrobe.samples(one.plan), range_s / len(ranges))
        for score in scores:
            answers |= transfer_score(score, wardrobe.samples(score.plan), range_s / len(scores))
        return answers

    return measure


def timer(facts: Facts, wardrobe: Wardrobe) -> StepTimer:
    """What answers questions about step times, within its share of the budget."""
    low, high = MEASURING_S
    budget_s = facts.budget.seconds
    limit_s = high if budget_s is None else min(high, max(low, MEASURING * budget_s))
    return StepTimer(wardrobe.timed, limit_s)


def left_out_by(without: Sequence[str], only: Sequence[str]) -> frozenset[str]:
    """The tips that a user leaves out, by name or by naming the others.

    Raises: PlanError when `only` names what does not exist or decides nothing.
    """
    return frozenset(without) | _others(with_outside(ALL), only)


def _others(tips: Sequence[Tip], only: Sequence[str]) -> frozenset[str]:
    """The tips that `only` leaves out."""
    names = {tip.name for tip in tips}
    if unknown := set(only) - names:
        raise PlanError(f"no tip named {', '.join(sorted(unknown))}: `fieldcraft tips` lists all {len(names)}.")
    for name in only:
        check_decides(name, tips)
    deciding = {tip.name for tip in tips if tip.decide is not None}
    return frozenset(deciding - set(only)) if only else frozenset()
