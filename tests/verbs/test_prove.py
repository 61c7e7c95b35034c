"""Proofs of a few short trainings, from data to the page."""

import json
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.verbs.made_data import images
from tests.warm import Process

import fieldcraft as fc
from fieldcraft.errors import BudgetError, DataError, FieldcraftError, MissingExtraError, PlanError, RunError
from fieldcraft.plan.toml import read_plan
from fieldcraft.proof.document import read_proof
from fieldcraft.records.proof import Between, CostDifference, Proof, Verdict
from fieldcraft.verbs.prove import prove
from fieldcraft.verbs.proven import kept, refuted
from fieldcraft.verbs.trial_time import LEAST_S, MASK_OVERHEAD, OVERHEAD, USED, check_trial_budget, trial_seconds

TIPS = ("label-smoothing", "input.augment.erase=0.5")
BUDGET = 9
WORKERS = 64
"""More than there are cores: trainings get one thread."""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Proof, Path]:
    folder = tmp_path_factory.mktemp("proof")
    found = prove("digits", tips=TIPS, budget=BUDGET, trial_budget=0.2, engine="inline", workers=WORKERS, out=folder)
    return found, folder


def test_a_proof_says_something_of_every_tip_and_ends_in_time(done: tuple[Proof, Path]) -> None:
    proof, folder = done
    assert [one.factor for one in proof.verdicts] == list(TIPS)
    assert proof.setting.base == ("label-smoothing",)
    assert {one.kind for one in proof.controls} == {"placebo", "poison"}
    assert proof.not_tested["optimiser"] == "it was not asked for"
    assert proof.not_tested["class-imbalance"]
    assert len(proof.outcomes) >= 4
    assert not [one.error for one in proof.outcomes if one.error]
    assert all(one.n == 288 for one in proof.outcomes)
    assert any("holds back" in note for note in proof.notes)
    assert read_proof(folder / "proof.json") == proof
    assert not (folder / "samples.npy").exists()


def test_the_proven_plan_is_one_that_fit_follows(done: tuple[Proof, Path]) -> None:
    proof, folder = done
    file = read_plan(folder / "proven.toml")
    assert file.plan.ladder.baselines
    assert all(rung.steps > 1 for rung in file.plan.ladder.rungs)
    out = {one.factor for one in proof.verdicts if refuted(one, proof.setting.base)}
    told = {one.tip: one for one in file.decisions}
    assert (told["label-smoothing"].outcome == "left-out") == ("label-smoothing" in out)


def test_the_same_call_goes_on_and_with_its_budget_spent_says_the_same(done: tuple[Proof, Path]) -> None:
    proof, folder = done
    again = prove("digits", tips=TIPS, budget=BUDGET, trial_budget=0.2, engine="inline", workers=WORKERS, out=folder)
    assert again.verdicts == proof.verdicts
    assert again.outcomes == proof.outcomes


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"seed": 7}, "the seed was 0, now 7"),
        ({"tips": ("label-smoothing",)}, "--tips"),
        ({"effect": "direct"}, "effect was total, now direct"),
        ({"edits": ("batch.size=16",)}, "--set"),
    ],
)
def test_another_question_needs_another_folder(done: tuple[Proof, Path], other: dict[str, object], told: str) -> None:
    asked: dict[str, object] = {"tips": TIPS, "budget": BUDGET, "engine": "inline", "workers": WORKERS, "out": done[1]}
    with pytest.raises(RunError, match=told):
        prove("digits", **(asked | other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"tips": ("label-smoothing", "label-smoothing")}, PlanError, "twice"),
        ({"tips": ("label-smooth",)}, PlanError, r"did you mean `label-smoothing`"),
        ({"alpha": 1.5}, PlanError, "--alpha must be between 0 and 1"),
        ({"margin": 0.0}, PlanError, "--margin must be above 0"),
        ({"workers": 0}, PlanError, "--workers must be 1 or more"),
        ({"engine": "threads"}, PlanError, "--engine must be one of"),
        ({"metric": "acuracy"}, PlanError, "--metric acuracy"),
        ({"budget": 1, "trial_budget": 2}, BudgetError, "no room for one. The least is about"),
        ({"budget": None}, BudgetError, "needs a budget"),
    ],
)
def test_bad_wishes_get_one_message(
    asked: dict[str, object], error: type[FieldcraftError], told: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=told):
        prove(images(count=100), **({"budget": 8, "engine": "inline", "out": tmp_path} | asked))  # type: ignore[arg-type]


def test_a_missing_ray_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldcraft.proof.ray_engine.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"fieldcraft\[scale\]"):
        prove(tmp_path / "no data", budget=8, engine="ray", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_fold_of_one_class_is_one_message(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = pd.date_range("2020-01-01", periods=120)
    frame = pd.DataFrame({"a": rng.normal(size=120), "when": times, "y": ["x", "z"] * 40 + ["x"] * 40})
    given = frame.assign(split=["train"] * 100 + ["test"] * 20)
    with pytest.raises(DataError, match="one class only"):
        prove(given, budget=8, engine="inline", out=tmp_path, options=fc.ReadOptions(target=("y",), time="when"))


def verdict(word: str, low: float, high: float, *, weights: float = 0.0) -> Verdict:
    between = Between(value=(low + high) / 2, low=low, high=high, pairs=5)
    more = Between(value=weights, low=weights, high=weights, pairs=5)
    return Verdict(
        factor="tip", word=word, effect=between, differences=(), stage="confirm", trial_s=1.0, because="measured",  # type: ignore[arg-type]
        cost=CostDifference(parameters=more),
    )  # fmt: skip


def test_what_hurt_is_left_out_and_what_has_no_effect_only_where_it_costs() -> None:
    assert not refuted(verdict("paid", 0.01, 0.02, weights=100), ("tip",))
    assert not refuted(verdict("cannot tell yet", -0.01, 0.02, weights=100), ("tip",))
    assert not refuted(verdict("no effect that matters", -0.001, 0.001), ("tip",))
    assert "costs weights" in refuted(verdict("no effect that matters", -0.001, 0.001, weights=100), ("tip",))
    assert "it hurt" in refuted(verdict("hurt", -0.02, -0.01), ("tip",))
    assert refuted(verdict("cannot tell yet", -0.01, 0.02), ())
    assert kept((verdict("hurt", -0.02, -0.01),), ("tip",), ("tip", "other")) == ("other",)


@pytest.mark.parametrize("factors", [1, 3, 12, 40])
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_trials_get_longer_with_the_budget_and_never_too_long(factors: int, workers: int) -> None:
    times = [trial_seconds(budget, workers, factors, 100.0) for budget in (1, 60, 600, 1e9)]
    assert times == sorted(times)
    assert times[0] == LEAST_S
    assert times[-1] == 100.0
    check_trial_budget(times[2], 600, workers)


def test_the_budget_of_a_pair_counts_what_comes_beside_training() -> None:
    """Masks are predicted for longer: what just holds a pair of images may not hold one of masks."""
    least = 2 * 10.0 * OVERHEAD / USED
    check_trial_budget(10.0, least + 1, 1)
    with pytest.raises(BudgetError, match="about 35 s"):
        check_trial_budget(10.0, least + 1, 1, MASK_OVERHEAD)


def lines(folder: Path) -> list[str]:
    path = folder / "trials.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def started(folder: Path, least: int) -> Process:
    """The real command, until it has ended so many trials."""
    process = Process(
        ["-m", "fieldcraft", "prove", "digits", "--tips", "label-smoothing", "--engine", "inline",
         "--workers", str(WORKERS), "--trial-budget", "0.2s", "--out", str(folder), "--budget", "100s"],
    )  # fmt: skip
    while len(lines(folder)) < least and process.poll() is None:
        time.sleep(0.05)
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_command_goes_on_with_what_it_had(tmp_path: Path) -> None:
    folder = tmp_path / "proof"
    killed = started(folder, 3)
    killed.kill()
    killed.communicate()
    before = lines(folder)
    assert len(before) >= 3
    stopped = started(folder, len(before) + 2)
    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate()
    assert stopped.returncode == 130, said
    assert f"goes on from {len(before)} trials" in said
    assert "the same command goes on from here" in said
    after = lines(folder)
    assert after[: len(before)] == before
    assert len(after) >= len(before) + 2
    proof = read_proof(folder / "proof.json")
    assert [one.trial.key for one in proof.outcomes] == [_key(line) for line in after]
    assert len({one.trial.key for one in proof.outcomes}) == len(after)


def _key(line: str) -> str:
    trial = json.loads(line)["trial"]
    return f"{trial['stage']}/{trial['arm']['name']}/{trial['pair']}"
