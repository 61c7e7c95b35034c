from dataclasses import replace
from math import inf

import pytest
from tests.tips.known_briefs import CIFAR10, found, start, with_budget, with_machine, with_rungs, with_train

from fieldcraft.plan.schema import Batch, Bucket, Cnn, Plan, ResNet, SmallerImages
from fieldcraft.records.brief import Brief
from fieldcraft.records.fact import Fact
from fieldcraft.tips.compilation import LEAST_TRY_S, MOST_TRY_S, REPAID, TIP
from fieldcraft.tips.draft import draft
from fieldcraft.tips.interface import Applied, Ask, CompiledStep, Skipped

LONG = with_machine(with_budget(with_train(CIFAR10, 40_000), 3600.0), compiler="g++")
PLAN = with_rungs(start(CIFAR10), Cnn(), ResNet())


def asked(known: Brief, plan: Plan = PLAN) -> tuple[CompiledStep, ...]:
    decision = TIP.decide(known, plan)
    assert isinstance(decision, Ask), decision
    assert all(isinstance(one, CompiledStep) for one in decision.measurements)
    return decision.measurements


def told(known: Brief, *, cost_s: float, plain: float, compiled: float, plan: Plan = PLAN) -> Applied | Skipped:
    """What is decided when every rung answers alike."""
    facts = {}
    for one in asked(known, plan):
        facts |= {one.key: found(cost_s), one.plain: found(plain), one.compiled: found(compiled)}
        facts[one.paced.key] = found(compiled)
    decision = TIP.decide(Brief(facts=replace(known.facts, measured=facts)), plan)
    assert not isinstance(decision, Ask)
    return decision


def test_every_rung_is_asked_for_the_largest_first_within_a_share_of_the_budget() -> None:
    questions = asked(LONG)
    assert [one.rung for one in questions] == [1, 0]
    assert {one.limit_s for one in questions} == {MOST_TRY_S}
    assert {one.limit_s for one in asked(with_budget(LONG, 1000.0))} == {30.0}
    assert not any(one.plan.execution.compile for one in questions)
    assert all(one.paced.plan.execution.compile for one in questions)
    assert 0.6 * 3600 < sum(one.train_s for one in questions) < 3600


def test_it_is_applied_where_it_repays() -> None:
    decision = told(LONG, cost_s=40, plain=100, compiled=60)
    assert isinstance(decision, Applied)
    assert decision.plan == replace(PLAN, execution=replace(PLAN.execution, compile=True))
    assert "60 ms compiled, 100 ms plain" in decision.because and "compiling takes 80 s" in decision.because
    again = told(LONG, cost_s=40, plain=100, compiled=60, plan=decision.plan)
    assert isinstance(again, Applied) and again.plan == decision.plan


def test_the_border_is_where_it_repays_its_cost_so_many_times() -> None:
    train_s = sum(one.train_s for one in asked(LONG))
    cost_s = 0.2 * train_s / REPAID / 2
    assert isinstance(told(LONG, cost_s=0.99 * cost_s, plain=100, compiled=80), Applied)
    assert isinstance(told(LONG, cost_s=1.01 * cost_s, plain=100, compiled=80), Skipped)


@pytest.mark.parametrize(("compiled", "words"), [(96.0, "saves"), (140.0, "loses")])
def test_a_step_that_is_hardly_faster_stays_as_it_is(compiled: float, words: str) -> None:
    decision = told(LONG, cost_s=0.1, plain=100, compiled=compiled)
    assert isinstance(decision, Skipped) and words in decision.because


def test_short_runs_are_not_even_tried() -> None:
    for known in (with_budget(LONG, 600.0), with_budget(with_train(LONG, 100), None)):
        decision = TIP.decide(known, PLAN)
        assert isinstance(decision, Skipped) and "too short to try" in decision.because
    assert LEAST_TRY_S > 0.03 * 600


@pytest.mark.parametrize(
    ("known", "plan", "why"),
    [
        (with_machine(LONG, compiler=None), PLAN, "no compiler"),
        (LONG, start(CIFAR10), "no networks"),
        (
            LONG,
            replace(PLAN, input=replace(PLAN.input, progressive=(SmallerImages(until=0.5, px=24),))),
            "several sizes",
        ),
        (LONG, replace(PLAN, input=replace(PLAN.input, buckets=(Bucket(height=24, width=24),))), "several sizes"),
    ],
)
def test_where_it_cannot_be_tried_it_says_why(known: Brief, plan: Plan, why: str) -> None:
    decision = TIP.decide(known, plan)
    assert isinstance(decision, Skipped) and why in decision.because


def test_what_went_wrong_stands_in_the_reason_and_not_among_the_facts() -> None:
    def measure(questions: tuple[CompiledStep, ...]) -> dict[str, Fact[float]]:
        return {
            one.key: Fact(value=inf, method="large cannot be compiled (no Python.h)", sample="none")
            for one in questions
        }

    done = draft(LONG, PLAN, (TIP,), measure=measure)  # type: ignore[arg-type]
    assert done.decisions[0].outcome == "skipped"
    assert "large cannot be compiled (no Python.h)" in done.decisions[0].because
    assert not done.facts.measured
    silent = draft(LONG, PLAN, (TIP,), measure=lambda questions: {})
    assert silent.decisions[0].because == "tried for up to 90 s: could not be measured"


def test_a_question_is_another_one_for_another_batch_or_a_longer_run() -> None:
    keys = {
        asked(known, plan)[0].key
        for known, plan in (
            (LONG, PLAN),
            (with_budget(LONG, 7200.0), PLAN),
            (LONG, replace(PLAN, batch=Batch(size=64))),
        )
    }
    assert len(keys) == 3
