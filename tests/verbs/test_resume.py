"""Runs that were stopped, and what may have become of their files."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.verbs.made_data import images, plan
from typer.testing import CliRunner

from fieldcraft.cli.app import app
from fieldcraft.errors import RunError, Stopped
from fieldcraft.plan.schema import CoolDown, Retiming
from fieldcraft.plan.toml import read_plan, to_toml
from fieldcraft.records.training import Look
from fieldcraft.train.hooks.interface import Trained, Validated
from fieldcraft.train.journal import Journal, Tick
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.run import Run

STEPS = 120


@dataclass(frozen=True)
class StopAt:
    """Asks the process to stop once so many steps were taken."""

    step: int

    def begin(self, rung: str, step: int, end: int) -> None: ...

    def trained(self, record: Trained) -> None:
        if record.step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)

    def validated(self, record: Validated) -> None: ...

    def looked(self, record: Look) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Data and plan as files."""
    x, y = images()
    np.savez(tmp_path / "made.npz", x=x, y=y)
    (tmp_path / "plan.toml").write_text(to_toml(plan(steps=STEPS), ()))
    return tmp_path


def run(source: Path, name: str, stop_at: int | None = None) -> Run:
    hooks = () if stop_at is None else (StopAt(stop_at),)
    return fit(str(source / "made.npz"), source / "plan.toml", out=source / name, hooks=hooks)


def stopped(source: Path, name: str, at: int = 70) -> Path:
    with pytest.raises(Stopped, match=r"stopped by SIGTERM: .* is saved, the best model so far is in it and"):
        run(source, name, stop_at=at)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    return source / name


def test_a_stopped_run_has_a_model_already_and_goes_on_to_the_same_bits(source: Path) -> None:
    whole = run(source, "whole")
    stopped(source, "run")
    assert Run(source / "run").model.spec.names == ("0", "1", "2")
    assert (source / "run" / "checkpoints" / "small.safetensors").exists()
    assert not (source / "run" / "report.html").exists()
    again = run(source, "run")
    assert again.folder.weights.read_bytes() == whole.folder.weights.read_bytes()
    assert "stopped" in again.results.seconds


def test_an_early_end_that_was_journalled_holds_after_a_stop(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldcraft.train.loop.DECIDE_EVERY_S", 0.0)
    monkeypatch.setattr(
        "fieldcraft.train.loop.early_end",
        lambda course, step, pace, left_s, work: CoolDown(at=step, end=step + 37) if step == 63 else None,
    )
    stopped(source, "run")
    monkeypatch.undo()
    resumed = run(source, "run")
    assert resumed.results.candidates[-1].steps == 100
    repeated = fit(str(source / "made.npz"), resumed.folder.repeat, out=source / "repeat")
    assert repeated.folder.weights.read_bytes() == resumed.folder.weights.read_bytes()


def test_a_stretched_course_that_was_journalled_holds_after_a_stop(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resumed run ends where the first one decided it would; the repeat's plan says so, and asks for no more."""
    monkeypatch.setattr("fieldcraft.train.loop.DECIDE_EVERY_S", 0.0)
    monkeypatch.setattr(
        "fieldcraft.train.loop.retiming",
        lambda course, step, pace, left_s, work, most: None if course.retimings else Retiming(at=step, end=150),
    )
    stopped(source, "run")
    monkeypatch.undo()
    resumed = run(source, "run")
    assert resumed.results.candidates[-1].steps == 150
    assert "retimed from 120 to 150 steps" in resumed.results.candidates[-1].note
    assert any("150 instead of 120" in note for note in resumed.results.notes)
    (rung,) = read_plan(resumed.folder.repeat).plan.ladder.rungs
    assert (rung.steps, rung.most_steps, rung.retimings[-1].end) == (120, 0, 150)
    repeated = fit(str(source / "made.npz"), resumed.folder.repeat, out=source / "repeat")
    assert repeated.folder.weights.read_bytes() == resumed.folder.weights.read_bytes()


def test_a_damaged_checkpoint_is_named_and_can_be_deleted(source: Path) -> None:
    checkpoint = stopped(source, "run") / "checkpoints" / "small.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:200])
    with pytest.raises(RunError, match="Delete it and run the same command again"):
        run(source, "run")
    command = ["fit", source / "made.npz", "--plan", source / "plan.toml", "--budget", "none", "--out", source / "run"]
    refused = CliRunner().invoke(app, [str(word) for word in command])
    assert refused.exit_code == 2
    assert "small.safetensors is damaged" in refused.stderr.replace("\n", " ")
    assert "Traceback" not in refused.stderr
    checkpoint.unlink()
    done = CliRunner().invoke(app, [str(word) for word in command])
    assert done.exit_code == 0, done.output
    assert Run(source / "run").folder.weights.read_bytes() == run(source, "whole").folder.weights.read_bytes()


def test_a_damaged_line_of_the_journal_is_survived(source: Path) -> None:
    folder = stopped(source, "run")
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines()
    journal.write_bytes(b"\n".join([lines[0], b"\x00\x00\xff{", *lines[1:], b'{"schema": 1, "event": "ti']))
    again = run(source, "run")
    assert again.folder.weights.read_bytes() == run(source, "whole").folder.weights.read_bytes()


def test_time_is_counted_over_all_processes_and_not_in_between(source: Path) -> None:
    folder = stopped(source, "run")
    journal = Journal(folder / "journal.jsonl")
    journal.write(Tick(spent_s=1000.0, stage="rung small"))
    said: list[str] = []
    done = fit(str(source / "made.npz"), source / "plan.toml", out=folder, say=said.append)
    assert said[0] == "goes on from 1000 s into the run"
    assert 1000 < sum(done.results.seconds.values()) < 1100
    assert done.results.seconds["rung small"] > 990
