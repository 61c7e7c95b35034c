"""Proving switches of one's own function: words on tiny functions, bad input, going on, costs."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fieldcraft.errors import BudgetError, PlanError, RunError
from fieldcraft.proof.document import read_proof
from fieldcraft.records.proof import Proof
from fieldcraft.verbs.function_trial import SEEDS, Trained
from fieldcraft.verbs.prove_function import prove_function

Switches = Mapping[str, bool]


def helps(switches: Switches, seed: int) -> float:
    """`good` brings 0.2, `bad` takes as much, `none` nothing; the level is the seed's."""
    level, noise = np.random.default_rng([seed, *switches.values()]).normal(0, [0.1, 0.01])
    shared = np.random.default_rng(seed).normal(0, 0.1)
    return float(0.5 + shared + 0.2 * switches["good"] - 0.2 * switches["bad"] + noise + 0 * level)


def spoilt(switches: Switches, seed: int) -> float:
    return helps(switches, seed) - 0.4 + float(np.random.default_rng(seed + 1).normal(0, 0.02))


def words(proof: Proof) -> dict[str, str]:
    return {one.factor: one.word for one in proof.verdicts}


def test_what_helps_and_what_hurts_is_found_with_both_controls() -> None:
    proof = prove_function(helps, ["good", "bad", "none"], budget=20, margin=0.02, poison=spoilt)
    assert words(proof) == {"good": "paid", "bad": "hurt", "none": "no effect that matters"}
    assert {one.kind: one.passed for one in proof.controls} == {"placebo": True, "poison": True}
    assert proof.trusted and proof.seconds < 20
    (good, *_) = proof.verdicts
    assert good.effect is not None and good.effect.low < 0.2 < good.effect.high


def test_switches_that_are_off_are_added_once() -> None:
    proof = prove_function(helps, ["good", "bad", "none"], budget=20, margin=0.02, on=["none"])
    assert words(proof) == {"good": "paid", "bad": "hurt", "none": "no effect that matters"}
    assert {one.trial.arm.name for one in proof.outcomes} == {
        "base",
        "placebo",
        "with good",
        "with bad",
        "without none",
    }


def test_where_less_is_better() -> None:
    proof = prove_function(
        lambda switches, seed: -helps(switches, seed), ["good", "bad", "none"], budget=20, margin=0.02,
        higher_is_better=False, metric="loss",
    )  # fmt: skip
    assert words(proof)["good"] == "paid"
    assert words(proof)["bad"] == "hurt"


def test_the_arms_of_a_pair_share_a_seed_and_the_placebo_has_its_own() -> None:
    seen: list[tuple[bool, int]] = []

    def watched(switches: Switches, seed: int) -> float:
        seen.append((switches["good"], seed))
        return helps({**switches, "bad": False}, seed)

    proof = prove_function(watched, ["good"], budget=20, margin=0.02)
    on, off = ({seed for good, seed in seen if good is which} for which in (True, False))
    assert off < on
    ran = [one.trial.arm.kind for one in proof.outcomes]
    assert len(on) == ran.count("base") + ran.count("placebo")
    assert len(off) == ran.count("toggled")
    assert all(0 <= seed < SEEDS for seed in on)


def test_a_missing_poison_is_told() -> None:
    proof = prove_function(helps, ["good", "bad", "none"], budget=20, margin=0.02)
    assert [one.kind for one in proof.controls] == ["placebo"]
    assert any("poison could not be run" in note for note in proof.notes)


def test_the_poison_may_be_a_switch() -> None:
    def train(switches: Switches, seed: int) -> float:
        assert set(switches) == {"good", "bad", "spoil"}
        return helps(switches, seed) - 0.4 * switches["spoil"]

    proof = prove_function(train, ["good", "bad"], budget=20, margin=0.02, poison="spoil")
    assert {one.kind: one.passed for one in proof.controls} == {"placebo": True, "poison": True}


def test_a_poison_that_does_no_harm_is_on_top() -> None:
    proof = prove_function(helps, ["good", "bad"], budget=20, margin=0.02, poison=helps)
    assert not proof.trusted
    assert "nothing here is to be trusted" in proof.notes[0]


def test_a_function_that_ignores_its_seed_decides_nothing() -> None:
    proof = prove_function(lambda switches, seed: 0.5 + 0.2 * switches["good"], ["good", "idle"], budget=20)
    assert set(words(proof).values()) == {"cannot tell yet"}
    assert "ignore its seed" in proof.notes[0]
    assert len(proof.outcomes) < 20


def test_a_function_that_does_not_repeat_itself_is_noted() -> None:
    rng = np.random.default_rng(0)
    proof = prove_function(lambda switches, seed: float(rng.normal(switches["good"], 0.1)), ["good"], budget=20)
    assert any("not deterministic given its seed" in note for note in proof.notes)
    assert words(proof) == {"good": "paid"}


def test_costs_that_were_told_are_compared() -> None:
    def train(switches: Switches, seed: int) -> Trained:
        metric = helps({**switches, "bad": False}, seed)
        return Trained(metric, n=1000, parameters=100 + 50 * switches["good"], latency_ms=1.0, memory_mib=3.0)

    (verdict,) = prove_function(train, ["good"], budget=20, margin=0.02).verdicts
    assert verdict.cost.parameters is not None and verdict.cost.parameters.value == 50
    assert verdict.cost.latency_ms is not None and verdict.cost.latency_ms.value == 0
    assert verdict.cost.seconds is not None


def test_numbers_of_other_libraries_are_numbers() -> None:
    proof = prove_function(
        lambda switches, seed: np.float32(helps({**switches, "bad": False}, seed)), ["good"], budget=20, margin=0.02
    )
    assert words(proof) == {"good": "paid"}


def test_a_metric_that_is_no_number_is_named_and_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    def train(switches: Switches, seed: int) -> float:
        metric = helps({**switches, "bad": False}, seed)
        return math.nan if not switches["good"] and seed % 3 == 0 else metric

    (verdict,) = prove_function(train, ["good"], budget=20, margin=0.02).verdicts
    assert verdict.word == "paid"
    assert verdict.failed and "diverged" in verdict.failed[0]


def test_what_the_function_raises_is_that_arms_error(capsys: pytest.CaptureFixture[str]) -> None:
    def train(switches: Switches, seed: int) -> float:
        if not switches["bad"]:
            raise KeyError("layer3")
        return helps(switches, seed)

    proof = prove_function(train, ["good", "bad", "none"], budget=20, margin=0.02)
    assert words(proof)["good"] == "paid"
    assert words(proof)["bad"] == "cannot tell yet"
    assert any("'without bad' failed every time" in note and "KeyError: 'layer3'" in note for note in proof.notes)
    assert "layer3" in capsys.readouterr().err


def test_a_base_that_always_fails_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunError, match="ZeroDivisionError"):
        prove_function(lambda switches, seed: 1 / 0, ["good"], budget=20)
    with pytest.raises(RunError, match="it returned None; a number"):
        prove_function(lambda switches, seed: None, ["good"], budget=20)  # type: ignore[arg-type,return-value]


def test_a_proof_in_a_folder_goes_on_and_is_read_again(tmp_path: Path) -> None:
    calls: list[int] = []

    def train(switches: Switches, seed: int) -> float:
        calls.append(seed)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return helps(switches, seed)

    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        prove_function(train, ["good", "bad", "none"], budget=20, margin=0.02, out=tmp_path)
    proof = prove_function(train, ["good", "bad", "none"], budget=20, margin=0.02, out=tmp_path, say=told.append)
    assert "goes on from 7 trials" in told[0]  # the first is called twice
    whole = prove_function(helps, ["good", "bad", "none"], budget=20, margin=0.02)
    assert [one.differences for one in proof.verdicts] == [one.differences for one in whole.verdicts]
    assert words(proof) == words(whole)
    assert read_proof(tmp_path / "proof.json") == proof
    with pytest.raises(RunError, match="margin"):
        prove_function(train, ["good", "bad", "none"], budget=20, margin=0.03, out=tmp_path)


@pytest.mark.slow
def test_trainings_run_in_processes_of_their_own() -> None:
    proof = prove_function(helps, ["good", "bad", "none"], budget=60, margin=0.02, workers=2)
    assert words(proof) == {"good": "paid", "bad": "hurt", "none": "no effect that matters"}


def test_a_budget_below_a_pair_says_the_least() -> None:
    def slow(switches: Switches, seed: int) -> float:
        import time

        time.sleep(0.2)
        return 1.0

    with pytest.raises(BudgetError, match=r"one pair of trainings takes about 0\.4"):
        prove_function(slow, ["good"], budget=0.3)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"train": 3}, "must be a function train"),
        ({"train": lambda seed: 1.0}, r"called as train\(switches, seed\), but it takes \(seed\)"),
        ({"switches": []}, "at least one"),
        ({"switches": "good"}, "a list of names"),
        ({"switches": ["a", "b", "a"]}, "names a twice"),
        ({"switches": ["a", ""]}, "a list of names"),
        ({"on": ["c"]}, "names c, which is none of the switches"),
        ({"on": ["a", "a"]}, "names a twice"),
        ({"poison": "a"}, "is one of those in question"),
        ({"poison": lambda: 1.0}, "called as poison"),
        ({"margin": 0}, "`margin` must be above 0"),
        ({"alpha": 1.0}, "`alpha` must be between"),
        ({"overlap": -1}, "`overlap` must be 0 or more"),
        ({"workers": 0}, "`workers` must be 1 or more"),
    ],
)
def test_bad_input_says_what_must_hold(changed: dict[str, object], told: str) -> None:
    asked: dict[str, object] = {"train": helps, "switches": ["a", "b"], **changed}
    with pytest.raises(PlanError, match=told):
        prove_function(**asked)  # type: ignore[arg-type]


def test_a_proof_without_end_is_none() -> None:
    with pytest.raises(BudgetError, match="needs a budget"):
        prove_function(helps, ["good"], budget=None)  # type: ignore[arg-type]
