"""What the workers of these tests are made with; a file of its own, so that a worker imports nothing else of them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fieldcraft.errors import DataError
from fieldcraft.proof.engine import Run
from fieldcraft.records.proof import Arm, Outcome, Trial


def trial(name: str, pair: int = 0) -> Trial:
    return Trial(stage="confirm", arm=Arm(name=name, kind="base", on=()), pair=pair)


def told(one: Trial, *notes: object) -> Outcome:
    return Outcome(trial=one, score=float(one.pair), notes=tuple(map(str, notes)))


def make_actor() -> Run:
    return act


def act(one: Trial) -> Outcome:
    """Do what the arm's name says."""
    word, _, rest = one.arm.name.partition(" ")
    return ACTS[word](one, rest)


def _raise(one: Trial, rest: str) -> Outcome:
    raise RuntimeError("the loss\nhas a second line")


def _segfault(one: Trial, rest: str) -> Outcome:
    ctypes.string_at(0)
    return told(one)


def _kill(one: Trial, rest: str) -> Outcome:
    os.kill(os.getpid(), signal.SIGKILL)
    return told(one)


def _exit(one: Trial, rest: str) -> Outcome:
    os._exit(int(rest))


def _sys_exit(one: Trial, rest: str) -> Outcome:
    sys.exit(int(rest))


def _sleep(one: Trial, rest: str) -> Outcome:
    time.sleep(float(rest))
    return told(one)


def _children(one: Trial, rest: str) -> Outcome:
    """Leave a child that was forked and one that was spawned, write down who is there, and go on for a long time."""
    spawned = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    forked = os.fork()
    if forked == 0:
        time.sleep(300)
    beside = Path(rest).with_suffix(".half")
    beside.write_text(f"{os.getpid()} {spawned.pid} {forked}")
    beside.rename(rest)
    time.sleep(300)
    return told(one)


def _look(one: Trial, rest: str) -> Outcome:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return told(one, os.getpid(), os.getppid(), os.environ["OMP_NUM_THREADS"], cores, "torch" in sys.modules)


def _talk(one: Trial, rest: str) -> Outcome:
    print(f"said {rest}")
    os.write(1, b"written\n")
    assert sys.stdin.read() == ""
    return told(one)


def _nan(one: Trial, rest: str) -> Outcome:
    return Outcome(trial=one, score=float(rest))


def _nothing(one: Trial, rest: str) -> Outcome:
    return None  # type: ignore[return-value]


ACTS: dict[str, Callable[[Trial, str], Outcome]] = {
    "raise": _raise, "segfault": _segfault, "kill": _kill, "exit": _exit, "sys-exit": _sys_exit, "sleep": _sleep,
    "children": _children, "look": _look, "talk": _talk, "nan": _nan, "nothing": _nothing,
}  # fmt: skip


def make_nothing() -> Run:
    raise ValueError("no such data")


def make_user_error() -> Run:
    raise DataError("the folder is empty: name another one")


def make_death() -> Run:
    os._exit(7)
