"""Proofs of masks from data to the page; none of them waits for a clock: they are stopped after some trials."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PIL import Image
from tests.verbs.masks.made_masks import disc, pictures, volumes
from tests.warm import Process

from fieldcraft.errors import PlanError, Stopped
from fieldcraft.plan.toml import read_plan
from fieldcraft.proof.conduct import Progress
from fieldcraft.proof.document import read_proof, write_proof
from fieldcraft.proof.evidence import Store
from fieldcraft.records.proof import Proof
from fieldcraft.verbs.evidence import keep_evidence
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.prove import prove

WORKERS = 64
"""More than there are cores: trainings get one thread."""
SMALL = ("batch.size=2", "task.masks.overlap=0.25")


@dataclass(frozen=True)
class After:
    """Asks the process to stop once so many trials have ended, a pair among them."""

    trials: int

    def __call__(self, progress: Progress) -> None:
        paired = any(one.differences for one in progress.verdicts)
        if paired and len(progress.outcomes) >= self.trials and progress.running:
            os.kill(os.getpid(), signal.SIGINT)


def ended(call: Callable[..., Proof], trials: int) -> Proof:
    """A proof that was stopped after some trials, and the same call again with its budget spent."""
    with pytest.raises(Stopped, match="the same command goes on from here"):
        call(budget=600, see=After(trials))
    return call(budget=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("data")
    return {"volumes": volumes(folder / "balls", count=12), "pictures": pictures(folder / "discs")}


@pytest.fixture(scope="module")
def done(data: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Proof, Path]:
    """Of pictures: a tip of the network, a last step, and a change that is tried."""
    folder = tmp_path_factory.mktemp("proof")

    def call(budget: float, see: Callable[[Progress], None] = lambda progress: None) -> Proof:
        return prove(
            data["pictures"], tips=("skips", "component-filter", "task.masks.mirror=[0]"), budget=budget, see=see,
            trial_budget=0.3, edits=SMALL, engine="inline", workers=WORKERS, out=folder, evidence=False,
        )  # fmt: skip

    return ended(call, 6), folder


def test_a_proof_says_something_of_every_tip(done: tuple[Proof, Path]) -> None:
    proof, folder = done
    assert [one.factor for one in proof.verdicts] == ["skips", "component-filter", "task.masks.mirror=[0]"]
    assert proof.setting.base == ("skips", "component-filter")
    assert (proof.setting.metric, proof.setting.margin, proof.setting.higher_is_better) == ("dice", 0.002, True)
    assert {one.kind for one in proof.controls} == {"placebo", "poison"}
    assert len(proof.outcomes) >= 6 and not [one.error for one in proof.outcomes if one.error]
    assert all(one.blocks and one.n == 0 for one in proof.outcomes)
    assert any("is scored on a fold of 3 (drawn anew for each pair)" in note for note in proof.notes)
    assert read_proof(folder / "proof.json") == proof
    page = (folder / "proof.html").read_text()
    assert "Dice" in page and "masks moved by half of their sides" in page


def test_the_proven_plan_is_one_that_fit_follows(done: tuple[Proof, Path]) -> None:
    plan = read_plan(done[1] / "proven.toml").plan
    assert plan.task.kind == "segmentation" and plan.ladder.baselines
    assert all(rung.steps > 1 for rung in plan.ladder.rungs)


def test_evidence_of_masks_is_filed_apart(done: tuple[Proof, Path], tmp_path: Path) -> None:
    known = replace(done[0], verdicts=tuple(replace(one, word="no effect that matters") for one in done[0].verdicts))
    folder = tmp_path / "proof"
    folder.mkdir()
    for name in ("facts.json", "plan.toml"):
        (folder / name).write_bytes((done[1] / name).read_bytes())
    write_proof(folder / "proof.json", known)
    kept = keep_evidence(folder, store=Store(tmp_path / "store"))
    assert {(line.tip, line.kind, line.metric) for line in kept.lines} == {
        ("skips", "cases", "dice"), ("component-filter", "cases", "dice"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"metric": "accuracy"}, r"--metric accuracy.*hd95_mm, surface_dice, boundary_iou"),
        ({"tips": ("early-stop",)}, "--tips: early-stop"),
        ({"tips": ("batch-size",)}, "mask-batch decides"),
    ],
)
def test_bad_wishes_get_one_message(data: dict[str, Path], asked: dict[str, object], told: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=told):
        prove(data["pictures"], **({"budget": 60, "engine": "inline", "out": tmp_path} | asked))  # type: ignore[arg-type]


def test_volumes_in_worker_processes_scored_at_boundaries(data: dict[str, Path], tmp_path: Path) -> None:
    def call(budget: float, see: Callable[[Progress], None] = lambda progress: None) -> Proof:
        return prove(
            data["volumes"], tips=("mask-symmetry",), metric="hd95_mm", budget=budget, see=see, trial_budget=0.3,
            edits=SMALL, workers=2, out=tmp_path, evidence=False,
        )  # fmt: skip

    proof = ended(call, 3)
    assert (proof.setting.metric, proof.setting.margin, proof.setting.higher_is_better) == ("hd95_mm", 0.1, False)
    assert not [one.error for one in proof.outcomes if one.error]
    assert all(one.score is not None and 0 <= one.score < 60 for one in proof.outcomes)
    assert read_plan(tmp_path / "plan.toml").plan.task.metric == "dice"


def stack(folder: Path, count: int = 16) -> Path:
    """One stack of slices, as two TIFF files of many pages."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    pages = [disc((24, 20), 0) for _ in range(count)]
    for name, at in (("images", 0), ("masks", 1)):
        first, *rest = [Image.fromarray(page[at]) for page in pages]
        first.save(folder / name / "cells.tif", save_all=True, append_images=rest)
    return folder


def test_a_lone_stack_says_that_it_is_within_one_volume(tmp_path: Path) -> None:
    source = stack(tmp_path / "stack")

    def call(budget: float, see: Callable[[Progress], None] = lambda progress: None) -> Proof:
        return prove(
            source, tips=("skips",), budget=budget, see=see, trial_budget=0.2, edits=SMALL, engine="inline",
            workers=WORKERS, out=tmp_path / "proof", evidence=False,
        )  # fmt: skip

    proof = ended(call, 2)
    assert any("of one volume" in note for note in proof.notes)
    assert not any(one.blocks for one in proof.outcomes)


def test_a_run_is_proven_and_its_report_shows_the_verdicts(data: dict[str, Path], tmp_path: Path) -> None:
    run = fit(data["pictures"], out=tmp_path / "run", budget=10, edits=SMALL, evidence=False)
    assert "Nothing was proved here" in run.report.read_text()

    def call(budget: float, see: Callable[[Progress], None] = lambda progress: None) -> Proof:
        return prove(
            run.path, tips=("skips",), budget=budget, see=see, trial_budget=0.2, engine="inline", workers=WORKERS
        )

    proof = ended(call, 2)
    assert proof.setting.factors == ("skips",)
    assert (run.path / "proof" / "proof.json").exists()
    page = run.report.read_text()
    assert "What tips did, by proof" in page and "proof/proof.html" in page


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_command_goes_on_with_what_it_had(data: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "proof"

    def lines() -> list[str]:
        path = folder / "trials.jsonl"
        return path.read_text().splitlines() if path.exists() else []

    def started(least: int) -> Process:
        process = Process(
            ["-m", "fieldcraft", "prove", str(data["pictures"]), "--tips", "skips", "--engine", "inline",
             "--workers", str(WORKERS), "--trial-budget", "0.2s", "--out", str(folder), "--budget", "300s",
             *(word for one in SMALL for word in ("--set", one))],
        )  # fmt: skip
        while len(lines()) < least and process.poll() is None:
            time.sleep(0.05)
        return process

    killed = started(2)
    killed.kill()
    killed.communicate()
    before = lines()
    stopped = started(len(before) + 1)
    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate()
    assert stopped.returncode == 130, said
    assert f"goes on from {len(before)} trials" in said
    assert lines()[: len(before)] == before and len(lines()) > len(before)
    keys = [one.trial.key for one in read_proof(folder / "proof.json").outcomes]
    assert len(set(keys)) == len(keys) == len(lines())
