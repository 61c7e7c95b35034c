"""Compiled training steps, tried in a process of their own that is ended when its time is over.

Started as `python -m fieldcraft.verbs.compiled_step`: reads a `Trial` as JSON, writes a `Tried` a line for each rung.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf, prod
from typing import Any

import numpy as np
import torch

from fieldcraft.build.augment import build_own_augmentations
from fieldcraft.build.loss import Counts, build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.regime import build_regime
from fieldcraft.data.loader import Batches
from fieldcraft.errors import FieldcraftError
from fieldcraft.fingerprint.step_time import interleaved
from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.records.fact import Fact
from fieldcraft.tips.compilation import LEAST_TRY_S
from fieldcraft.tips.interface import CompiledStep
from fieldcraft.train.engine import engine
from fieldcraft.verbs.measure import together, training_step
from fieldcraft.verbs.samples import Samples

METHOD = "on made-up samples, in a process of its own"
STEPS_S = 3.0
"""For the steps that are timed once a network is compiled."""
LARGEST_SHARE = 0.9
"""Of a rung's time that compiling may take, for a pace to be told at all."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What the process tries."""

    plan: str
    """As TOML."""
    rungs: tuple[int, ...]
    """In this order."""
    shape: tuple[int, ...]
    """Of a sample as the network sees it."""
    outputs: int
    dtype: str
    """Of stored pixels."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of one rung."""

    rung: int
    cost_s: float = 0.0
    """Until the first compiled step was over, beyond a plain one."""
    plain_ms: float = 0.0
    compiled_ms: float = 0.0
    steps: str = ""
    """How many were timed."""
    error: str = ""
    """Why it could not be compiled; then there are no numbers."""


def compiled_steps(questions: Sequence[CompiledStep], samples: Samples, limit_s: float) -> dict[str, Fact[float]]:
    """The answers to questions about rungs of one plan, by key, within `limit_s` seconds, start and end included.

    What was not answered in time, or could not be compiled, has infinity under its key and the reason as its method.
    """
    if limit_s < LEAST_TRY_S:
        return _unanswered(questions, f"{limit_s:.0f} s are less than the {LEAST_TRY_S:.0f} s that trying takes")
    trial = Trial(
        plan=to_toml(questions[0].plan), rungs=tuple(one.rung for one in questions), shape=samples.shape,
        outputs=samples.outputs, dtype=str(samples.pixels.dtype) if samples.pixels is not None else "float32",
    )  # fmt: skip
    said, end = _asked(trial, limit_s)
    tried = {one.rung: one for one in said}
    answers: dict[str, Fact[float]] = {}
    for question in questions:
        found = tried.get(question.rung)
        rung = question.plan.ladder.rungs[question.rung].name
        if found is None:
            answers |= _unanswered([question], f"{rung}: {end}")
        elif found.error:
            answers |= _unanswered([question], f"{rung} cannot be compiled ({found.error})")
        else:
            answers |= _answers(question, found)
    return answers


def _answers(question: CompiledStep, found: Tried) -> dict[str, Fact[float]]:
    shared_out = question.train_s / max(question.train_s - found.cost_s, (1 - LARGEST_SHARE) * question.train_s)
    numbers = {
        question.key: (found.cost_s, "seconds until the first compiled step was over"),
        question.plain: (found.plain_ms, "lower median, in ms"),
        question.compiled: (found.compiled_ms, "lower median, in ms"),
        question.paced.key: (found.compiled_ms * shared_out, "compiled step, in ms, with the cost shared out"),
    }
    return {
        key: Fact(value=value, method=f"{how}, {METHOD}", sample=found.steps) for key, (value, how) in numbers.items()
    }


def _unanswered(questions: Sequence[CompiledStep], why: str) -> dict[str, Fact[float]]:
    return {one.key: Fact(value=inf, method=why, sample="none") for one in questions}


def _asked(trial: Trial, limit_s: float) -> tuple[list[Tried], str]:
    """What the process said until its time was over, and how it ended; nothing that it started outlives this."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        said, errors = process.communicate(json.dumps(asdict(trial)), timeout=limit_s)
        last = next((line for line in reversed(errors.splitlines()) if line.strip()), "it said nothing")
        end = f"the process that tried it ended with {last.strip()[:120]}"
    except subprocess.TimeoutExpired:
        _end(process)
        said, _ = process.communicate()
        end = "not compiled in that time"
    finally:
        _end(process)
    return [one for line in said.splitlines() if (one := _read(line)) is not None], end


def _end(process: subprocess.Popen[str]) -> None:
    """The compilers that it started have its process group."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(line: str) -> Tried | None:
    """A line of the process; None for what the network or its compiler printed."""
    try:
        return Tried(**json.loads(line))
    except (ValueError, TypeError):
        return None


# ---------------------------------------------------------------- in the process


def _main() -> None:
    told: dict[str, Any] = json.load(sys.stdin)
    trial = Trial(**{**told, "rungs": tuple(told["rungs"]), "shape": tuple(told["shape"])})
    plan = from_toml(trial.plan).plan
    for rung in trial.rungs:
        print(json.dumps(asdict(_try(plan, rung, trial))), flush=True)


def _try(plan: Plan, place: int, trial: Trial) -> Tried:
    try:
        return _timed(plan, place, trial)
    except (FieldcraftError, RuntimeError) as error:
        return Tried(rung=place, error=" ".join(str(error).split())[:120] or type(error).__name__)


def _timed(plan: Plan, place: int, trial: Trial) -> Tried:
    rung, machine = plan.ladder.rungs[place], engine(plan.execution)
    net = machine.place(
        build_network(
            rung.network, shape=trial.shape, outputs=trial.outputs, initialisation=plan.initialisation, seed=plan.seed,
            name="measure", patches=torch.randn(64, *trial.shape) if plan.initialisation.whiten else None,
            read_weights=False,
        )
    )  # fmt: skip
    batches, failed = _batches(plan, trial, machine.device), list[str]()
    counts = None if plan.task.kind == "regression" else Counts(each=(1,) * trial.outputs, total=2 * trial.outputs)
    regime = build_regime(plan.regime, build_loss(plan.task, counts, device=machine.device))
    times = together(plan.execution)
    plain = training_step(plan, rung, net, batches, machine, regime, times=times)
    through = machine.compiled(net, failed.append, whole=plan.batch.micro is None)
    compiled = training_step(plan, rung, net, batches, machine, regime, through=through, times=times)
    plain()
    began = time.perf_counter()
    plain()
    between = time.perf_counter()
    compiled()
    cost_s = time.perf_counter() - between - (between - began)
    if failed:
        return Tried(rung=place, error=failed[0])
    found = interleaved({"plain": plain, "compiled": compiled}, limit_s=STEPS_S)
    return Tried(
        rung=place, cost_s=max(0.0, cost_s), plain_ms=found["plain"].value / times,
        compiled_ms=found["compiled"].value / times, steps=found["compiled"].sample,
    )  # fmt: skip


def _batches(plan: Plan, trial: Trial, device: torch.device) -> Batches:
    """Made-up samples of the right shape, changed as the plan's are."""
    random = np.random.default_rng(0)
    count = 2 * plan.batch.size
    rows = np.arange(count)
    targets = {
        "single-label": torch.from_numpy(random.integers(0, trial.outputs, count)),
        "multi-label": torch.from_numpy(random.integers(0, 2, (count, trial.outputs))).float(),
        "regression": torch.randn(count, trial.outputs),
    }[plan.task.kind]
    if not isinstance(plan.input, ImageInput):
        features = random.standard_normal((count, prod(trial.shape)), dtype=np.float32)
        return Batches.of_features(
            features, rows, targets, batch=plan.batch.size, device=device, seed=plan.seed, name="measure"
        )
    channels, height, width = trial.shape
    pixels = random.integers(0, 128, (count, height, width, channels)).astype(trial.dtype)
    return Batches.of_images(
        pixels, rows, targets, mean=(64.0,) * channels, std=(37.0,) * channels, augment=plan.input.augment,
        own=build_own_augmentations(plan.input.augment), batch=plan.batch.size, device=device,
        channels_last=plan.execution.channels_last, seed=plan.seed, name="measure", classes=trial.outputs,
    )  # fmt: skip


if __name__ == "__main__":
    _main()
