"""What a proof runs next: the rules, on simulated trainings."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.proof.simulated import World, prove, setting

from fieldcraft.proof.conduct import InMemory
from fieldcraft.proof.expected import expected_s
from fieldcraft.proof.ranking import rank
from fieldcraft.proof.schedule import (
    Standing,
    control_arms,
    least_s,
    next_trials,
    screening_kind,
    screening_rows,
    toggled_arm,
)
from fieldcraft.proof.verdict import controls, verdicts
from fieldcraft.records.proof import Outcome, Setting, Trial

QUIET = World({})


def standing(asked: Setting, outcomes: tuple[Outcome, ...] = (), **changes: object) -> Standing:
    return replace(
        Standing(
            setting=asked,
            outcomes=outcomes,
            running=(),
            verdicts=verdicts(asked, outcomes),
            controls=controls(asked, outcomes),
            ranked=tuple(one.factor for one in rank(asked, outcomes).ranked),
            left_s=1000.0,
        ),
        **changes,  # type: ignore[arg-type]
    )


def test_an_arm_without_a_factor_and_one_with_it() -> None:
    asked = setting(3, base=("f0", "f1"))
    assert toggled_arm(asked, "f0").on == ("f1",)
    assert toggled_arm(asked, "f2").on == ("f0", "f1", "f2")
    assert (toggled_arm(asked, "f0").name, toggled_arm(asked, "f2").name) == ("without f0", "with f2")
    assert [arm.on for arm in control_arms(asked)] == [("f0", "f1")] * 2


def test_the_base_comes_first_and_then_the_controls() -> None:
    _, engine = prove(setting(4), QUIET, 30)
    assert [trial.key for trial in engine.started[:3]] == ["confirm/base/0", "confirm/placebo/0", "confirm/poison/0"]


def test_few_factors_take_turns_pair_by_pair() -> None:
    _, engine = prove(setting(4), QUIET, 21)
    assert all(trial.stage == "confirm" for trial in engine.started)
    assert [trial.pair for trial in engine.started] == sorted(trial.pair for trial in engine.started)
    arms = {(trial.arm.name, trial.pair) for trial in engine.started}
    assert arms >= {(f"without f{n}", pair) for n in range(4) for pair in range(3)}


def test_the_order_in_a_pair_is_drawn_by_the_seed() -> None:
    orders = {
        tuple(trial.arm.name for trial in prove(setting(4, seed=seed), QUIET, 21)[1].started if trial.pair == 1)
        for seed in range(4)
    }
    assert len(orders) > 1
    again = [prove(setting(4, seed=1), QUIET, 21)[1].started for _ in range(2)]
    assert again[0] == again[1]


def test_every_changed_arm_has_its_base() -> None:
    _, engine = prove(setting(5), World({"f0": 2.0}), 77)
    bases = {trial.pair for trial in engine.started if trial.arm.kind == "base"}
    assert {trial.pair for trial in engine.started if trial.arm.kind != "base"} <= bases


def test_many_factors_are_screened_before_they_are_confirmed() -> None:
    proof, engine = prove(setting(9), World({"f7": 3.0, "f2": -2.5}), 200)
    stages = [trial.stage for trial in engine.started]
    assert stages[:3] == ["confirm"] * 3
    rows = stages.count("screen")
    assert rows == 24  # resolution IV for nine factors
    assert stages[3 : 3 + rows] == ["screen"] * rows
    assert [one.factor for one in proof.ranking[:2]] == ["f7", "f2"]
    first = [trial.arm.name for trial in engine.started[3 + rows :] if trial.arm.kind == "toggled"][:3]
    assert {"without f7", "without f2"} & set(first)


def test_confirming_begins_at_the_front_of_the_ranking() -> None:
    proof, engine = prove(setting(16), World({"f9": 3.0}), 200)
    order = [f"without {one.factor}" for one in proof.ranking]
    tried = [trial.arm.name for trial in engine.started if trial.arm.kind == "toggled"]
    assert set(tried[:12]) == set(order[:4])


@pytest.mark.parametrize(("left_s", "kind"), [(200, "resolution IV"), (60, "Plackett-Burman"), (50, None)])
def test_the_screening_takes_its_share_of_the_time_at_most(left_s: float, kind: str | None) -> None:
    assert screening_kind(standing(setting(10), left_s=left_s)) == kind


def test_a_proof_that_pays_for_no_screening_says_so() -> None:
    proof, _ = prove(setting(10), QUIET, 50)
    assert not proof.ranking
    assert any("No screening" in note for note in proof.notes)


def test_more_places_make_a_screening_affordable() -> None:
    assert screening_kind(standing(setting(10), left_s=50, places=4)) == "resolution IV"


def test_a_screening_that_began_goes_on_with_the_same_design() -> None:
    asked = setting(10)
    (row, *_) = screening_rows(standing(asked, left_s=60))
    (outcome,) = [Outcome(trial=row, score=0.5, seconds=1.0)]
    assert screening_kind(standing(asked, (outcome,), left_s=10_000)) == "Plackett-Burman"


def test_stages_that_were_not_asked_for_do_not_run() -> None:
    assert screening_kind(standing(setting(10, trial_s={"confirm": 1.0}), left_s=10_000)) is None


def test_what_is_decided_gets_no_more_trials() -> None:
    proof, engine = prove(setting(4), World({"f0": 6.0}), 200)
    decided = next(one for one in proof.verdicts if one.factor == "f0")
    assert decided.word == "paid" and decided.effect is not None
    runs = [trial for trial in engine.started if trial.arm.name == "without f0"]
    assert len(runs) == decided.effect.pairs


def test_factors_that_are_soon_decided_go_before_those_that_take_long() -> None:
    proof, engine = prove(setting(4), World({"f0": 4.0, "f1": -4.0}), 75)
    words = {one.factor: one.word for one in proof.verdicts}
    assert (words["f0"], words["f1"]) == ("paid", "hurt")
    names = [trial.arm.name for trial in engine.started]
    until = max(place for place, name in enumerate(names) if name in ("without f0", "without f1"))
    ran = {name: names[:until].count(name) for name in names}
    assert min(ran["without f0"], ran["without f1"]) >= max(ran["without f2"], ran["without f3"])
    assert max(ran["without f2"], ran["without f3"]) <= 5


def test_the_decided_ones_are_repeated_in_full_when_time_remains() -> None:
    asked = setting(3, trial_s={"confirm": 1.0, "full": 1.0}, margin=3.0)
    proof, engine = prove(asked, World({"f1": 9.0}), 150)
    full = {trial.arm.name for trial in engine.started if trial.stage == "full"}
    assert full == {"base", "without f1"}
    assert next(one for one in proof.verdicts if one.factor == "f1").stage == "full"
    seeds = {stage: {one.pair for one in engine.started if one.stage == stage} for stage in ("confirm", "full")}
    assert not seeds["confirm"] & seeds["full"]


def test_an_arm_that_never_works_gets_three_tries() -> None:
    proof, engine = prove(setting(3), World({}, breaks=lambda trial: trial.arm.name == "without f1"), 60)
    assert sum(trial.arm.name == "without f1" for trial in engine.started) == 3
    assert any("'without f1' failed every time" in note for note in proof.notes)


def test_a_control_that_fails_ends_the_proof() -> None:
    proof, engine = prove(setting(3), World({}, poison=30.0), 10_000)
    assert not proof.trusted
    assert len(engine.started) < 40
    assert "nothing here is to be trusted" in proof.notes[0]


def test_all_places_are_kept_busy() -> None:
    chosen = next_trials(standing(setting(5), places=4))
    assert len({trial.key for trial in chosen}) == 4
    more = next_trials(standing(setting(5), running=chosen, places=6))
    assert len(more) == 2
    assert not {trial.key for trial in more} & {trial.key for trial in chosen}


def test_the_least_is_a_pair() -> None:
    asked = setting(3, trial_s={"confirm": 7.0})
    assert least_s(asked, (), 1) == 14
    assert least_s(asked, (), 2) == 7
    assert least_s(setting(3, trial_s={}), (), 1) is None


def test_seconds_are_expected_as_seen_and_before_that_as_planned() -> None:
    asked = setting(3, trial_s={"confirm": 2.0, "full": 10.0})
    base, other = (Trial(stage="confirm", arm=arm, pair=0) for arm in (toggled_arm(asked, f) for f in ("f0", "f1")))
    full = replace(base, stage="full")
    assert expected_s(asked, (), base) == 2
    seen = (Outcome(trial=base, score=1.0, seconds=3.0),)
    assert expected_s(asked, seen, base) == expected_s(asked, seen, other) == 3
    assert expected_s(asked, seen, full) == 15
    failed = (*seen, Outcome(trial=other, score=None, error="no", seconds=0.01))
    assert expected_s(asked, failed, other) == 3


@settings(max_examples=40, deadline=None)
@given(
    many=st.integers(1, 9),
    places=st.integers(1, 3),
    left_s=st.floats(0, 60),
    ran=st.integers(0, 60),
    seed=st.integers(0, 9),
)
def test_nothing_is_started_that_cannot_end_in_time(many: int, places: int, left_s: float, ran: int, seed: int) -> None:
    asked = setting(many, seed=seed, trial_s={"screen": 1.5, "confirm": 2.5, "full": 20.0})
    journal = InMemory()
    prove(asked, World({"f0": 5.0}, trial_s=1.0 + seed / 3), 200, journal, stop_after=ran)
    now = standing(asked, journal.read(), left_s=left_s, places=places)
    chosen = next_trials(now)
    assert len(chosen) <= places
    for trial in chosen:
        takes = expected_s(asked, now.outcomes, trial)
        assert takes is not None and takes <= left_s
