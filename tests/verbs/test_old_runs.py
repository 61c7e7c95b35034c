"""Runs written by each version are kept here whole, and still read: one folder a version and kind of winner."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fieldcraft.data.splits import read_parts
from fieldcraft.prediction.table import read_predictions
from fieldcraft.records.files import read_json
from fieldcraft.records.results import Candidate
from fieldcraft.report.run_report import write_report
from fieldcraft.train.checkpoint import Checkpoint, Place, read, write
from fieldcraft.train.journal import Finished, Journal
from fieldcraft.verbs.candidates import kept
from fieldcraft.verbs.run import Run
from fieldcraft.verbs.score import score

FIXTURES = Path(__file__).parent / "fixtures"
RUNS = sorted(path.name for path in FIXTURES.iterdir())


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """A copy of a kept run."""
    shutil.copytree(FIXTURES / request.param, tmp_path / "run")
    return Run(tmp_path / "run")


def test_there_is_one_of_each_kind_of_winner() -> None:
    assert RUNS == ["run-1-net", "run-1-plain"]


def test_every_file_of_a_kept_run_still_reads(run: Run) -> None:
    assert run.plan.ladder.rungs
    assert run.facts.data.samples == 90
    assert run.results.winner in {"small", "linear"}
    assert isinstance(Journal(run.folder.journal).read()[-1], Finished)
    judged = kept(run.folder.rungs, run.results.winner)
    assert judged is not None and isinstance(judged.candidate, Candidate)
    assert len(read_parts(run.folder.splits, tuple(map(str, range(90)))).test) == 18
    assert read_json(run.folder.provenance, "provenance")["request"]["seed"] == 0
    assert score(run.path).look == 2
    assert write_report(run.folder).stat().st_size > 10_000


def test_its_model_still_says_what_it_said(run: Run) -> None:
    stored = read_predictions(run.folder.predictions)
    rng = np.random.default_rng(0)
    if run.results.winner == "small":
        y = rng.integers(0, 2, 90)
        x = rng.integers(0, 60, (90, 6, 6)).astype(np.uint8)
        x[y == 1, :3] += 90
    else:
        rng.integers(0, 2, 90)
        rng.integers(0, 60, (90, 6, 6))
        x = rng.normal(size=(90, 3))
    rows = stored["id"].astype(int).to_numpy()
    found = run.predict(x[rows])
    columns = [name for name in found.columns if name != "id"]
    pd.testing.assert_frame_equal(found[columns], stored[columns].reset_index(drop=True), rtol=1e-4, atol=1e-5)


def test_a_checkpoint_carries_its_version(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    write(Checkpoint(place=Place(step=3), tensors={"net.weight": torch.ones(2)}), path)
    assert b'\\"schema\\": 2' in path.read_bytes()
    found = read(path)
    assert found is not None and found.place.step == 3
