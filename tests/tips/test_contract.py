import json
import sys
from dataclasses import replace
from itertools import count
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from fieldcraft.plan.schema import Batch, Cnn, Plan, Rung, TableInput
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.brief import Brief
from fieldcraft.records.facts import Facts
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips import ALL, label_smoothing
from fieldcraft.tips.contract import TipContract, answer, briefs, plans
from fieldcraft.tips.interface import Applied, Ask, Decide, Skipped, StepTime, Tip
from fieldcraft.tips.rule import Circumstances, Rule

CHECKS = [name for name in vars(TipContract) if name.startswith("test_")]
TORCH, DECISIONS = "test_it_does_not_need_torch", "test_its_decisions_keep_to_the_rules"
MODULE = ModuleType("some.well_behaved", "Behave.\n\nHelps: a.\nHurts: b.\nCost: c.\nSource: d.")


def run(tip: Tip, check: str) -> None:
    getattr(type("Case", (TipContract,), {"tip": tip})(), check)()


@pytest.mark.parametrize("check", [check for check in CHECKS if check != TORCH])
@pytest.mark.parametrize("tip", ALL, ids=lambda tip: tip.name)
def test_every_tip_keeps_the_contract(tip: Tip, check: str) -> None:
    run(tip, check)


def test_no_tip_needs_torch() -> None:
    """Their package imports all of them, so one fresh process tells of each."""
    assert all(
        (tip.module or sys.modules[tip.decide.__module__]).__name__.startswith("fieldcraft.tips.") for tip in ALL
    )
    run(ALL[0], TORCH)


class TestOneTipAsAnOutsideAuthorWould(TipContract):
    tip = label_smoothing.TIP


# ---------------------------------------------------------------- the contract finds what it is for


def behave(brief: Brief, plan: Plan) -> Applied:
    return Applied(plan=replace(plan, batch=Batch(size=64)), because="64 samples")


def moody() -> Decide:
    calls = count()
    return lambda brief, plan: Skipped(because=f"call {next(calls)}")


def creep(brief: Brief, plan: Plan) -> Applied:
    return Applied(plan=replace(plan, batch=Batch(size=plan.batch.size + 1)), because="more")


def convolve(brief: Brief, plan: Plan) -> Applied:
    rungs = (Rung(name="a", network=Cnn(), steps=1, lr=0.1),)
    return Applied(plan=replace(plan, ladder=replace(plan.ladder, rungs=rungs)), because="always")


def turn_into_a_table(brief: Brief, plan: Plan) -> Applied:
    return Applied(plan=replace(plan, input=TableInput()), because="always")


def smuggle(brief: Brief, plan: Plan) -> Applied:
    seedless = replace(plan)
    object.__setattr__(seedless, "seed", -1)
    return Applied(plan=seedless, because="frozen values can be forced")


def says(text: str) -> Decide:
    return lambda brief, plan: Skipped(because=text)


def ask_for_ever(brief: Brief, plan: Plan) -> Ask | Skipped:
    return Ask(measurements=tuple(StepTime(plan=plan, rung=rung) for rung in range(len(plan.ladder.rungs))))


@pytest.mark.parametrize("check", [check for check in CHECKS if check != TORCH])
def test_a_good_tip_passes(check: str) -> None:
    run(Tip(name="well-behaved", decide=behave, module=MODULE), check)


@pytest.mark.parametrize(
    ("decide", "told"),
    [
        (moody(), "the same question differently"),
        (creep, "its own result once more"),
        (convolve, "convolutions for a table"),
        (turn_into_a_table, "became one for"),
        (smuggle, "cannot be read"),
        (says(""), "must be one line"),
        (says("no "), "must be one line"),
        (says("two\nlines"), "must be one line"),
        (says("long" * 100), "must be one line"),
        (ask_for_ever, "asks again|still asks"),
    ],
)
def test_a_bad_decision_is_found(decide: Decide, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        run(Tip(name="well-behaved", decide=decide, module=MODULE), DECISIONS)


@pytest.mark.parametrize("missing", ["Behave.", "Helps: a.", "Hurts: b.", "Cost: c.", "Source: d."])
def test_an_incomplete_card_is_found(missing: str) -> None:
    module = ModuleType("some.well_behaved", (MODULE.__doc__ or "").replace(missing, ""))
    with pytest.raises(AssertionError, match="card"):
        run(Tip(name="well-behaved", decide=behave, module=module), "test_the_card_is_complete")


@pytest.mark.parametrize("name", ["well_behaved", "Well-behaved", "another"])
def test_a_wrong_name_is_found(name: str) -> None:
    with pytest.raises(AssertionError):
        run(Tip(name=name, decide=behave, module=MODULE), "test_the_name_is_that_of_the_module")


def test_torch_is_found() -> None:
    with pytest.raises(AssertionError, match="imports torch"):
        run(Tip(name="torch", decide=behave, module=ModuleType("torch")), TORCH)


# ---------------------------------------------------------------- and for rules


def rule(page: str, **settings: str) -> Rule:
    """The check of a module of that name with that page."""

    def check(anatomy: Anatomy, circumstances: Circumstances) -> tuple[Finding, ...]:
        return ()

    module = ModuleType(f"some{abs(hash(page))}.well_found", page)
    sys.modules[module.__name__] = module
    check.__module__ = module.__name__
    return replace(Rule(code="ZZ001", name="well-found", severity=Severity.INFO, check=check), **settings)


PAGE = "It finds.\n\nWhy: a.\n\nExample:\n    b\n\nInstead:\n    c\n\nLeave it: d.\nSource: e."


def looks(*rules: Rule) -> Tip:
    return Tip(name="well-behaved", module=MODULE, checks=rules)


@pytest.mark.parametrize("check", [check for check in CHECKS if check != TORCH])
def test_a_good_tip_that_only_looks_passes(check: str) -> None:
    run(looks(rule(PAGE)), check)
    run(looks(rule(f"{PAGE}\nRewrite: f.", rewrite="mend")), check)


@pytest.mark.parametrize(
    ("tip", "check"),
    [
        (looks(), "test_it_has_a_hand"),
        (looks(rule(PAGE, code="Z1")), "test_the_codes_of_its_rules_are_its_own"),
        (looks(rule(PAGE), rule(PAGE)), "test_the_codes_of_its_rules_are_its_own"),
        (looks(rule(PAGE, name="another")), "test_a_rule_is_called_after_its_module"),
        (looks(rule(PAGE, name="well_found")), "test_a_rule_is_called_after_its_module"),
        (looks(rule(PAGE, rewrite="mend")), "test_the_pages_of_its_rules_are_complete"),
    ],
)
def test_a_bad_rule_is_found(tip: Tip, check: str) -> None:
    with pytest.raises(AssertionError):
        run(tip, check)


@pytest.mark.parametrize("missing", ["It finds.", "Why:", "Example:", "Instead:", "Leave it:", "Source:"])
def test_an_incomplete_page_is_found(missing: str) -> None:
    with pytest.raises(AssertionError, match="page"):
        run(looks(rule(PAGE.replace(missing, ""))), "test_the_pages_of_its_rules_are_complete")


# ---------------------------------------------------------------- the made-up world is one that may exist


@settings(deadline=None, max_examples=50)
@given(brief=briefs())
def test_briefs_are_consistent(brief: Brief) -> None:
    data = brief.data
    assert data.train + data.validation + data.test == data.samples and min(data.train, data.validation, data.test) > 0
    assert len(data.target.names) == data.target.outputs
    assert (data.target.imbalance is None) == (data.target.task == "regression")
    assert (brief.images is None) != (brief.table is None)
    written = TypeAdapter(Facts).dump_json(brief.facts)
    assert TypeAdapter(Facts).validate_python(json.loads(written)) == brief.facts


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_plans_fit_their_brief(data: st.DataObject) -> None:
    brief = data.draw(briefs())
    plan = data.draw(plans(brief))
    assert plan.task.kind == brief.task
    assert (plan.input.kind == "image") == (brief.images is not None)


@settings(deadline=None, max_examples=30)
@given(plan=plans().filter(lambda plan: bool(plan.ladder.rungs)))
def test_answers_depend_on_the_question_alone(plan: Plan) -> None:
    questions = tuple(StepTime(plan=plan, rung=rung) for rung in range(len(plan.ladder.rungs)))
    assert answer(questions) == {one.key: answer((one,))[one.key] for one in reversed(questions)}
    assert all(0.1 <= fact.value <= 1000 for fact in answer(questions).values())
