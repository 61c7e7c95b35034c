"""A real process, really killed: it goes on from where it was and ends with the same bits."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.warm import Process

PLAN = """
schema = 1
seed = 3
[task]
kind = "single-label"
[input]
kind = "image"
height = 12
width = 12
channels = 1
[input.augment]
crop_px = 1
erase = 0.5
[optimiser]
kind = "sgd"
weight_decay = 5e-4
[schedule]
kind = "one-cycle"
[clipping]
kind = "auto"
window = 100
[stopping]
kind = "patience"
looks = 10
[batch]
size = 32
[averaging]
decay = 0.99
[execution]
threads = 1
precision = "{precision}"
[ladder]
baselines = ["majority"]
climb = "always"
[[ladder.rungs]]
name = "small"
steps = {steps}
lr = 0.1
network = {{ kind = "cnn", widths = [8, 16], dropout = 0.1 }}
[[ladder.rungs]]
name = "large"
steps = {steps}
lr = 0.1
network = {{ kind = "resnet", widths = [8, 16], depths = [0, 1] }}
"""

COMMAND = """
import sys
from pathlib import Path
import fieldcraft.train.loop as loop
loop.WRITE_EVERY_S = loop.WRITE_SELDOM_S = 0.0  # a checkpoint at every snapshot
from fieldcraft.verbs.fit import fit
fit(sys.argv[1], Path(sys.argv[2]), out=sys.argv[3])
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 360)
    x = rng.integers(0, 120, (360, 12, 12)).astype(np.uint8)
    for index, label in enumerate(y):
        x[index, 3 * label : 3 * label + 3] += 70
    np.savez(folder / "made.npz", x=x, y=y)
    return folder


def arguments(folder: Path, out: str, plan: str) -> list[str]:
    return ["-c", COMMAND, str(folder / "made.npz"), str(folder / plan), str(folder / out)]


def start(folder: Path, out: str, plan: str) -> Process:
    return Process(arguments(folder, out, plan))


def finished(process: Process) -> None:
    _, errors = process.communicate()
    assert process.returncode == 0, errors


@pytest.mark.parametrize(
    ("precision", "steps", "times", "within_s"),
    [("fp32", 260, 3, 1.0), ("bf16", 60, 1, 0.1)],  # bf16 takes ten times as long where no units count in it
)
def test_killed_at_random_moments_it_ends_with_the_same_bits(
    made: Path, precision: str, steps: int, times: int, within_s: float
) -> None:
    (made / "plan.toml").write_text(PLAN.format(precision=precision, steps=steps))
    whole_run, killed_run = f"undisturbed-{precision}", f"killed-{precision}"
    finished(start(made, whole_run, "plan.toml"))
    kills, seed = 0, random.randrange(2**32)
    moments = random.Random(seed)
    for _ in range(times):
        log = made / killed_run / "metrics.jsonl"
        logged = log.stat().st_size if log.exists() else 0
        process = start(made, killed_run, "plan.toml")
        while process.poll() is None and (log.stat().st_size if log.exists() else 0) == logged:
            time.sleep(0.005)  # until this process has trained
        time.sleep(moments.uniform(0.0, within_s))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
    # The last one is a process from scratch: warm ones share what their parent drew at random.
    done = subprocess.run(
        [sys.executable, *arguments(made, killed_run, "plan.toml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert kills, f"no process was killed in time (seed {seed})"
    for name in ("rungs/small/model.safetensors", "rungs/large/model.safetensors", "model.safetensors"):
        whole, resumed = ((made / run / name).read_bytes() for run in (whole_run, killed_run))
        assert whole == resumed, f"{name} differs after {kills} kills (seed {seed})"
    lines = [
        [
            (entry["rung"], entry["step"], entry["kind"], entry.get("loss"), entry.get("metric"))
            for entry in map(json.loads, (made / run / "metrics.jsonl").read_text().splitlines())
        ]
        for run in (whole_run, killed_run)
    ]
    assert lines[0] == lines[1]


def test_sigterm_saves_and_the_same_command_goes_on(made: Path) -> None:
    (made / "plan.toml").write_text(PLAN.format(precision="fp32", steps=260))
    process = start(made, "stopped", "plan.toml")
    while process.poll() is None and not (made / "stopped" / "metrics.jsonl").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()
    assert process.returncode != 0
    assert "goes on from here" in errors
    finished(start(made, "stopped", "plan.toml"))
    assert (made / "stopped" / "report.html").exists()
