"""Conducting a proof: it ends in time, keeps what came out, and goes on as if it had never stopped."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.proof.simulated import SimulatedClock, SimulatedEngine, World, prove, setting

from fieldcraft.errors import BudgetError, RunError
from fieldcraft.proof.conduct import InMemory, Progress, conduct
from fieldcraft.proof.engine import Inline
from fieldcraft.records.proof import Outcome, Trial

SOME = World({"f0": 3.0, "f2": -2.0})


@settings(max_examples=25, deadline=None)
@given(
    many=st.integers(2, 9), seed=st.integers(0, 99), budget_s=st.integers(12, 90), kills=st.lists(st.integers(1, 30))
)
def test_killed_after_any_outcome_it_comes_to_the_same(many: int, seed: int, budget_s: int, kills: list[int]) -> None:
    asked = setting(many, seed=seed)
    whole, _ = prove(asked, SOME, budget_s)
    journal = InMemory()
    for ran in kills:
        prove(asked, SOME, budget_s, journal, stop_after=ran)
    last, _ = prove(asked, SOME, budget_s, journal)
    assert last.verdicts == whole.verdicts
    assert last.controls == whole.controls
    assert last.outcomes == whole.outcomes


def test_more_budget_goes_on_with_the_same_proof() -> None:
    journal = InMemory()
    short, _ = prove(setting(4), SOME, 30, journal)
    longer, engine = prove(setting(4), SOME, 90, journal)
    assert longer.outcomes[: len(short.outcomes)] == short.outcomes
    assert not {one.trial.key for one in short.outcomes} & {trial.key for trial in engine.started}
    assert longer.outcomes == prove(setting(4), SOME, 90)[0].outcomes


@pytest.mark.parametrize("places", [1, 2, 3])
def test_it_ends_with_the_budget_and_uses_it(places: int) -> None:
    proof, engine = prove(setting(4), World({}), 40, places=places)
    assert 36 <= proof.seconds <= 40
    assert engine.closed
    assert len(proof.outcomes) >= 36 * places


@dataclass
class Slower(SimulatedEngine):
    """Trainings after the tenth take ten times as long."""

    def start(self, trial: Trial) -> None:
        super().start(trial)
        if len(self.started) > 10:
            self.running[-1] = (self.running[-1][0] + 9 * self.world.trial_s, *self.running[-1][1:])


def test_what_would_go_on_beyond_the_budget_is_given_up() -> None:
    clock = SimulatedClock()
    journal = InMemory()
    proof = conduct(setting(4), Slower(SOME, clock, 2), journal, budget_s=18.0, clock=clock)
    assert proof.seconds <= 18.0 * 1.05
    assert any("given up" in note for note in proof.notes)
    assert len(journal.lines) == len(proof.outcomes)


def test_one_asks_to_stop_and_hears_what_is_known() -> None:
    proof, engine = prove(setting(4), SOME, 90, stop_after=5)
    assert len(proof.outcomes) == 5
    assert engine.closed
    assert any("stopped before its end" in note for note in proof.notes)


def test_stopped_before_anything_ran_is_no_error() -> None:
    assert prove(setting(4), SOME, 90, stop_after=0)[0].outcomes == ()


def test_a_budget_below_a_pair_says_the_least() -> None:
    with pytest.raises(BudgetError, match=r"takes about 20 s, but the budget is 15 s\. The least is 22 s"):
        prove(setting(4, trial_s={"confirm": 10.0}), World({}, trial_s=10.0), 15)


def test_a_budget_below_a_pair_is_found_out_when_the_time_was_not_known() -> None:
    with pytest.raises(BudgetError, match="one pair of trainings takes about 20 s"):
        prove(setting(4, trial_s={}), World({}, trial_s=10.0), 15)
    with pytest.raises(BudgetError, match="no pair of trainings ended within the 5 s"):
        prove(setting(4, trial_s={}), World({}, trial_s=10.0), 5, places=2)


def test_a_base_that_never_trains_is_an_error_with_its_reason() -> None:
    def fails(trial: Trial) -> Outcome:
        return Outcome(trial=trial, score=None, error="ValueError: no such layer", seconds=0.1)

    with pytest.raises(RunError, match=r"failed in 3 of 3 trials \(ValueError: no such layer\)"):
        conduct(setting(3), Inline(fails), InMemory(), budget_s=60)


def test_it_ends_early_when_all_is_decided() -> None:
    proof, _ = prove(setting(2, margin=3.0), World({"f0": 9.0}), 10_000)
    assert {one.word for one in proof.verdicts} == {"paid", "no effect that matters"}
    assert proof.seconds < 500


def test_progress_is_seen_after_every_outcome() -> None:
    seen: list[Progress] = []
    clock = SimulatedClock()
    conduct(setting(3), SimulatedEngine(SOME, clock), InMemory(), budget_s=20, see=seen.append, clock=clock)
    assert [len(one.outcomes) for one in seen[:2]] == [0, 0]
    assert {len(one.outcomes) for one in seen} == set(range(21))
    assert all(0 <= one.eta_s <= one.left_s for one in seen)
    assert seen[0].running and not seen[-1].running


def test_the_proofs_own_time_goes_on_over_sittings() -> None:
    journal = InMemory()
    prove(setting(3), SOME, 30, journal, stop_after=4)
    proof, _ = prove(setting(3), SOME, 30, journal)
    times = [one.at_s for one in proof.outcomes]
    assert times == sorted(times) == [float(n + 1) for n in range(len(times))]


def test_an_outcome_keeps_the_cost_that_it_came_with() -> None:
    proof, _ = prove(setting(3), SOME, 10)
    assert all(replace(one, at_s=0.0) == replace(one, at_s=0.0) and one.seconds == 1.0 for one in proof.outcomes)
