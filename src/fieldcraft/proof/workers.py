"""Trials in processes of their own on this machine: a crash costs one trial, and each has its cores to itself.

Processes are spawned, never forked: a fork of a process whose torch has made threads can hang.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import cloudpickle

from fieldcraft.errors import FieldcraftError, RunError
from fieldcraft.proof.carry_out import failed, in_words
from fieldcraft.proof.cores import shares, usable
from fieldcraft.proof.engine import Run
from fieldcraft.proof.wire import Begin, Ready, Unmade, receive, send
from fieldcraft.records.proof import Outcome, Stage, Trial

THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
                 "VECLIB_MAXIMUM_THREADS")  # fmt: skip
"""What the libraries below torch and numpy read once, when they are loaded."""
PATIENCE_S = 3.0
"""For an idle worker to end by itself."""

_Inbox = queue.SimpleQueue[tuple[int, "subprocess.Popen[bytes]", object]]


@dataclass(eq=False)
class _Worker:
    place: int
    process: "subprocess.Popen[bytes]"
    reader: threading.Thread
    ready: bool = False
    trial: Trial | None = None
    since: float = field(default_factory=time.monotonic)


class Processes:
    """An engine of `workers` processes with `threads` threads each.

    `make` is called once in every worker, after its cores and thread count are set and before anything but this floor
    is imported; what it returns carries out the trials. It is pickled by value where it belongs to a script or a
    notebook. `logs`: folder for what workers print, one file each. `limit_s`: longest time of a trial, by stage.
    `pinned`: keep each worker to its share of the cores; not where others start workers on the same machine.
    A worker that crashes or takes longer is replaced; its trial's outcome says so.
    Raises: RunError when `make` cannot be sent to another process.
    """

    def __init__(
        self, make: Callable[[], Run], workers: int, threads: int, *,
        logs: Path | None = None, limit_s: Mapping[Stage, float] | None = None, pinned: bool = True,
    ) -> None:  # fmt: skip
        if workers < 1 or threads < 1:
            raise ValueError(f"`workers >= 1` and `threads >= 1` must hold, but got {workers=}, {threads=}.")
        try:
            self._make = cloudpickle.dumps(make)
        except Exception as error:
            raise RunError(
                f"what is trained cannot be sent to worker processes ({in_words(error)}): keep open files, locks and "
                "connections out of it, or open them inside of the training function."
            ) from error
        self._threads = threads
        self._logs = logs
        self._limit_s = limit_s or {}
        self._cores = shares(usable() if pinned else (), workers, threads)
        self._workers: dict[int, _Worker] = {}
        self._inbox: _Inbox = queue.SimpleQueue()
        self._worked = False

    @property
    def places(self) -> int:
        """Trials that run at once."""
        return len(self._cores)

    def start(self, trial: Trial) -> None:
        """Hand a trial to an idle worker, started now where it does not run yet.

        Raises: RuntimeError when none is idle.
        """
        idle = (place for place in range(self.places) if not self._busy(place))
        place = next(idle, None)
        if place is None:
            raise RuntimeError(f"all {self.places} workers are busy")
        worker = self._workers.get(place)
        if worker is not None and not worker.reader.is_alive():  # it died while it had nothing to do
            self._drop(worker)
            worker = None
        worker = worker or self._spawn(place)
        worker.trial, worker.since = trial, time.monotonic()
        with suppress(OSError):  # it has just died: its end is in the inbox
            assert worker.process.stdin is not None
            send(worker.process.stdin, trial)

    def ended(self, timeout_s: float) -> Outcome | None:
        """The next outcome; None when nothing ended within the time.

        Raises: FieldcraftError when the first workers cannot be prepared, since then no other could.
        """
        until = time.monotonic() + timeout_s
        while True:
            over = min(((self._over(worker), worker.place) for worker in self._workers.values()), default=None)
            wake = min(until, over[0]) if over else until
            try:
                place, process, message = self._inbox.get(timeout=max(0.0, wake - time.monotonic()))
            except queue.Empty:
                if over and over[0] <= time.monotonic():
                    return self._stopped(self._workers[over[1]])
                if time.monotonic() >= until:
                    return None
                continue
            worker = self._workers.get(place)
            if worker and worker.process is process and (outcome := self._heard(worker, message)):
                return outcome

    def close(self) -> None:
        """End all workers: idle ones by themselves, busy ones at once."""
        workers = list(self._workers.values())
        self._workers.clear()
        for worker in workers:
            _hang_up(worker)
        until = time.monotonic() + PATIENCE_S
        for worker in workers:
            if worker.trial is None:
                worker.reader.join(max(0.0, until - time.monotonic()))
            _bury(worker)

    def _busy(self, place: int) -> bool:
        return place in self._workers and self._workers[place].trial is not None

    def _over(self, worker: _Worker) -> float:
        """When its time is up."""
        limit = self._limit_s.get(worker.trial.stage) if worker.trial and worker.ready else None
        return float("inf") if limit is None else worker.since + limit

    def _heard(self, worker: _Worker, message: object) -> Outcome | None:
        """What a message means: an outcome, or nothing yet."""
        trial = worker.trial
        match message:
            case Ready():
                worker.ready, worker.since, self._worked = True, time.monotonic(), True
                return None
            case Outcome():
                worker.trial = None
                return replace(message, worker=worker.place)
            case Unmade():
                told = message.error if message.for_a_person else f"a worker could not be prepared: {message.error}"
                self._drop(worker)
                if not self._worked:
                    raise (FieldcraftError if message.for_a_person else RunError)(f"{told}{self._see(worker)}")
            case _:
                told = f"{_how(self._drop(worker))}{'' if worker.ready else ' while it was being prepared'}"
                if not self._worked and trial is not None:
                    raise RunError(f"a worker could not be prepared: {told}{self._see(worker)}")
        return self._lost(worker, trial, told + self._see(worker)) if trial is not None else None

    def _stopped(self, worker: _Worker) -> Outcome:
        trial = worker.trial
        assert trial is not None
        self._drop(worker)
        return self._lost(worker, trial, f"it ran for more than {self._limit_s[trial.stage]:g} s and was stopped")

    def _lost(self, worker: _Worker, trial: Trial, told: str) -> Outcome:
        return replace(failed(trial, told, time.monotonic() - worker.since), worker=worker.place)

    def _drop(self, worker: _Worker) -> int:
        """Let go of a worker; how it ended."""
        del self._workers[worker.place]
        _hang_up(worker)
        return _bury(worker)

    def _see(self, worker: _Worker) -> str:
        return f"; see {_log_name(worker.place)}" if self._logs else ""

    def _spawn(self, place: int) -> _Worker:
        log: int | IO[bytes] = subprocess.DEVNULL
        if self._logs:
            self._logs.mkdir(parents=True, exist_ok=True)
            log = (self._logs / _log_name(place)).open("ab")
        python_path = os.environ.get("PYTHONPATH")
        environment = {
            **os.environ,
            **dict.fromkeys(THREAD_COUNTS, str(self._threads)),
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", "fieldcraft.proof.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, bufsize=0,
                # Ctrl-C is for the parent alone.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )  # fmt: skip
        finally:
            if not isinstance(log, int):
                log.close()
        reader = threading.Thread(target=_listen, args=(place, process, self._inbox), daemon=True)
        worker = self._workers[place] = _Worker(place, process, reader)
        reader.start()
        with suppress(OSError):
            assert process.stdin is not None
            send(process.stdin, Begin(self._make, tuple(sys.path), python_path, self._cores[place]))
        return worker


def _listen(place: int, process: "subprocess.Popen[bytes]", inbox: _Inbox) -> None:
    """Pass on what a worker says, and at last that it is gone."""
    assert process.stdout is not None
    with suppress(EOFError, OSError):
        while True:
            inbox.put((place, process, receive(process.stdout)))
    inbox.put((place, process, None))


def _log_name(place: int) -> str:
    return f"worker-{place}.log"


def _hang_up(worker: _Worker) -> None:
    """Tell a worker that nothing more comes."""
    assert worker.process.stdin is not None
    with suppress(OSError):
        worker.process.stdin.close()


def _bury(worker: _Worker) -> int:
    """End a worker with all that it started, if it still runs; its exit code."""
    if sys.platform == "win32":
        worker.process.kill()
    else:
        # Its session outlives it where it left children behind; the number is not used again before `wait`.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.process.pid, signal.SIGKILL)
    code = worker.process.wait()
    worker.reader.join(PATIENCE_S)
    assert worker.process.stdout is not None
    worker.process.stdout.close()
    return code


def _how(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    if code == -signal.SIGKILL:
        return "its process was killed (SIGKILL), as systems do when memory runs out"
    with suppress(ValueError):
        number = signal.Signals(-code)
        return f"its process crashed: {(signal.strsignal(number) or 'a signal').lower()} ({number.name})"
    return f"its process was ended by signal {-code}"
