"""Trying a compiled step in a process of its own: what it says, and that it is ended in time."""

import os
import sys
import time
from pathlib import Path

import pytest
from tests.tips.known_briefs import CIFAR10, start, with_rungs

from fieldcraft.fingerprint.machine import compiler
from fieldcraft.plan.schema import Augment, Batch, Cnn, ImageInput, Imported, Linear, Mlp, Plan, SingleLabel, TableInput
from fieldcraft.tips.interface import CompiledStep
from fieldcraft.train.engine import Engine
from fieldcraft.verbs import compiled_step
from fieldcraft.verbs.compiled_step import Tried, compiled_steps

PLAN = with_rungs(start(CIFAR10), Linear(), Cnn())
QUESTIONS = tuple(CompiledStep(plan=PLAN, rung=rung, train_s=1000.0, limit_s=60.0) for rung in (1, 0))


class Shaped:
    """As much of samples as is asked for."""

    shape, outputs, pixels = (3, 32, 32), 10, None


def said(monkeypatch: pytest.MonkeyPatch, *tried: Tried, end: str = "not compiled in that time") -> dict[str, object]:
    monkeypatch.setattr(compiled_step, "_asked", lambda trial, limit_s: (list(tried), end))
    return compiled_steps(QUESTIONS, Shaped(), 60.0)  # type: ignore[arg-type,return-value]


def test_the_pace_of_a_compiled_step_has_the_cost_shared_out_over_the_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = QUESTIONS
    answers = said(
        monkeypatch,
        Tried(rung=1, cost_s=200, plain_ms=50, compiled_ms=40, steps="4 steps"),
        Tried(rung=0, cost_s=0, plain_ms=5, compiled_ms=6, steps="4 steps"),
    )
    values = {key: fact.value for key, fact in answers.items()}  # type: ignore[attr-defined]
    assert values == {
        large.key: 200, large.plain: 50, large.compiled: 40, large.paced.key: pytest.approx(50),
        small.key: 0, small.plain: 5, small.compiled: 6, small.paced.key: 6,
    }  # fmt: skip
    # 1,000 s at that pace are as many steps as 800 s at the pace of a step alone.
    assert 1000 / values[large.paced.key] == pytest.approx(800 / 40)


def test_what_was_not_answered_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = QUESTIONS
    answers = said(monkeypatch, Tried(rung=1, error="no Python.h"))
    assert {answers[one.key].value for one in QUESTIONS} == {float("inf")}  # type: ignore[attr-defined]
    assert answers[large.key].method == "rung-1 cannot be compiled (no Python.h)"  # type: ignore[attr-defined]
    assert answers[small.key].method == "rung-0: not compiled in that time"  # type: ignore[attr-defined]
    short = compiled_steps(QUESTIONS, Shaped(), 1.0)  # type: ignore[arg-type]
    assert short[large.key].method == "1 s are less than the 20 s that trying takes"


def test_the_process_and_what_it_started_are_ended_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child"
    (tmp_path / "sleeper.py").write_text(
        "import pathlib, subprocess, sys, time\n"
        f"other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(other.pid))\n"
        "print('{\"rung\": 1, \"cost_s\": 2.0}', flush=True)\nprint('noise', flush=True)\ntime.sleep(600)\n"
    )
    monkeypatch.setattr(compiled_step, "__name__", "sleeper")
    monkeypatch.syspath_prepend(tmp_path)
    began = time.monotonic()
    found, end = compiled_step._asked(trial(PLAN), 5.0)
    assert time.monotonic() - began < 60
    assert (found, end) == ([Tried(rung=1, cost_s=2.0)], "not compiled in that time")
    deadline = time.monotonic() + 20
    while alive(int(child.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(int(child.read_text()))


def test_a_process_that_breaks_says_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_step, "__name__", "no_such_module")
    found, end = compiled_step._asked(trial(PLAN), 60.0)
    assert not found and "No module named" in end


def trial(plan: Plan, shape: tuple[int, ...] = (3, 32, 32)) -> compiled_step.Trial:
    return compiled_step.Trial(plan=compiled_step.to_toml(plan), rungs=(0,), shape=shape, outputs=3, dtype="uint8")


def alive(process: int) -> bool:
    """Ended children of nobody stay as zombies until the system takes them."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (sys.platform == "linux" and state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z")


@pytest.mark.parametrize(
    ("sample", "shape", "network"),
    [
        (
            ImageInput(height=8, width=12, channels=3, augment=Augment(crop_px=1, mixup=0.2)),
            (3, 8, 12),
            Cnn(widths=(4,)),
        ),
        (TableInput(), (5,), Mlp(widths=(4,))),
    ],
)
def test_both_steps_run_on_made_up_samples(
    sample: ImageInput | TableInput, shape: tuple[int, ...], network: Cnn | Mlp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plain(self: Engine, net: object, tell: object, *, whole: bool) -> object:
        return net

    plan = with_rungs(Plan(task=SingleLabel(), input=sample, batch=Batch(size=8)), network)
    monkeypatch.setattr(Engine, "compiled", plain)
    done = compiled_step._try(plan, 0, trial(plan, shape))
    assert not done.error and done.plain_ms > 0 and done.compiled_ms > 0 and done.cost_s >= 0
    own = with_rungs(plan, Imported(target="no_such_module:Net"))
    assert "no_such_module" in compiled_step._try(own, 0, trial(own, shape)).error


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="no C++ compiler, which torch.compile needs")
def test_a_real_process_answers() -> None:
    plan = with_rungs(Plan(task=SingleLabel(), input=TableInput(), batch=Batch(size=8)), Mlp(widths=(4,)))
    (found,), _ = compiled_step._asked(trial(plan, (5,)), 300.0)
    assert not found.error
    assert found.cost_s > 0 and found.plain_ms > 0 and found.compiled_ms > 0
