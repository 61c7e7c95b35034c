"""What holds for all tips together; the contract of each is checked in test_contract.py."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.tips.known_briefs import KNOWN, OWN, found, settle, start, with_budget, with_rungs

from fieldcraft import tips
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.records.fact import Fact
from fieldcraft.tips import ALL
from fieldcraft.tips.draft import Draft, draft
from fieldcraft.tips.interface import Applied, StepTime
from fieldcraft.tips.rough import step_seconds

NAMES = [tip.name for tip in ALL]
ASKED = [tip for tip in ALL if tip.decide and not tip.inputs]
"""Those that decide about samples with one answer each; test_mask_tips.py has the others."""
DECIDING = [tip.name for tip in ASKED]
NO_TIPS = {
    "contract",
    "draft",
    "interface",
    "made_up",
    "masks",
    "outside",
    "pace",
    "phases",
    "pretrained_rung",
    "factors",
    "rough",
    "version",
    "rule",
    "rungs",
    "symptoms",
    "watch",
}


def measure(known):
    def answers(questions: tuple[StepTime, ...]) -> Mapping[str, Fact[float]]:
        return {
            one.key: found(1000 * step_seconds(one.plan.ladder.rungs[one.rung].network, known, one.plan))
            for one in questions
        }

    return answers


def drafted(known, plan: Plan | None = None, **options) -> Draft:
    return draft(known, plan or start(known), ALL, measure=measure(known), **options)


@pytest.fixture(params=KNOWN, scope="module")
def known(request):
    return KNOWN[request.param]


def test_names_are_unique():
    assert len(set(NAMES)) == len(NAMES)


def test_every_file_of_a_tip_is_in_the_list():
    files = {path.stem for path in Path(tips.__file__).parent.glob("*.py")} - NO_TIPS - {"__init__"}
    assert files == {name.replace("-", "_") for name in NAMES}


def test_what_is_refined_comes_before():
    for place, tip in enumerate(ALL):
        assert set(tip.refines) <= set(NAMES[:place])


@pytest.mark.parametrize("tip", ALL, ids=NAMES)
def test_the_card_begins_with_the_name_and_one_sentence(tip):
    first = tip.card.splitlines()[0]
    title = tip.name.replace("-", " ").capitalize()
    assert re.fullmatch(rf"({title}|{tip.name.capitalize()}): \S.*\.", first)
    assert not re.search(r"\. \S", first)


def test_all_together_leave_a_valid_plan(known):
    done = drafted(known)
    assert from_toml(to_toml(done.plan)).plan == done.plan
    assert [decision.tip for decision in done.decisions] == DECIDING
    assert done.plan.ladder.rungs
    assert all(len(decision.because) < 250 for decision in done.decisions)


def test_a_second_fold_over_its_own_result_changes_nothing(known):
    first = drafted(known)
    assert drafted(known, first.plan).plan == first.plan


def test_each_agrees_with_itself_on_the_way(known):
    plan, brief = start(known), known
    for tip in ASKED:
        decision, brief = settle(tip, brief, plan)
        if isinstance(decision, Applied):
            plan = decision.plan
            again, _ = settle(tip, brief, plan)
            # Of two networks one was left out: there is nothing more to leave out.
            assert isinstance(again, Applied) or tip.name == "short-ladder"
            assert not isinstance(again, Applied) or again.plan == plan


@pytest.mark.parametrize("left_out", DECIDING)
def test_any_one_may_be_left_out(left_out):
    for known in KNOWN.values():
        done = drafted(known, without=frozenset({left_out}))
        assert from_toml(to_toml(done.plan)).plan == done.plan


@pytest.mark.parametrize("alone", DECIDING)
def test_any_one_may_stand_alone_with_the_architecture(alone):
    for known in KNOWN.values():
        without = frozenset(DECIDING) - {alone, "architecture"}
        assert drafted(known, without=without).plan.ladder.rungs


def test_only_what_ends_in_nothing_to_train_leaves_the_ladder_empty():
    known = KNOWN["digits"]
    assert not drafted(known, without=frozenset({"architecture"})).plan.ladder.rungs


def test_without_a_budget_the_steps_do_not_hang_on_times(known):
    endless = with_budget(known, None)
    slow = draft(endless, start(known), ALL, measure=lambda asked: {one.key: found(1e6) for one in asked})
    assert [rung.steps for rung in slow.plan.ladder.rungs] == [r.steps for r in drafted(endless).plan.ladder.rungs]


def test_ones_own_network_is_trained_with_every_tip_that_does_not_look_inside(known):
    done = drafted(known, with_rungs(start(known), OWN))
    outcomes = {decision.tip: decision.outcome for decision in done.decisions}
    inside = {
        "architecture",
        "small-kernels",
        "padding",
        "depth-and-strides",
        "residual-connections",
        "width",
        "norm",
        "activation",
        "initialisation",
    }
    assert {outcomes[name] for name in inside} == {"skipped"}
    assert {outcomes[name] for name in ("optimiser", "one-cycle", "weight-decay", "epochs")} == {"applied"}
    assert [rung.network for rung in done.plan.ladder.rungs] == [OWN]
