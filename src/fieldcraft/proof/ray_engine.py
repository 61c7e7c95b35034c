"""Trials on a Ray cluster: the same as worker processes, on several machines.

A place is a Ray actor that keeps one worker process, so a crash in a trial is told apart from the death of a machine:
the first is the trial's outcome, after the second the trial runs again elsewhere.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import cloudpickle

from fieldcraft.errors import FieldcraftError, MissingExtraError, RunError
from fieldcraft.proof.carry_out import failed, in_words
from fieldcraft.proof.engine import Run
from fieldcraft.proof.wire import Unmade
from fieldcraft.proof.workers import Processes
from fieldcraft.records.proof import Outcome, Stage, Trial

MOST_DEATHS = 5
"""After so many machines that died with it, a trial is held to be the reason."""
LOOK_S = 1.0
"""How often it is looked which machines there are."""
SETTINGS: Mapping[str, str] = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Nothing is sent to anybody; workers see the GPUs of their machine."""


@dataclass(frozen=True)
class _Running:
    trial: Trial
    actor: Any
    place: int


def require_ray() -> None:
    """Raises: MissingExtraError without Ray; imports nothing, so that it can be asked before anything is prepared."""
    if find_spec("ray") is None:
        raise MissingExtraError("ray", "scale", "Running trials on a cluster")


class OnRay:
    """An engine on a Ray cluster; each trial has `threads` processors.

    `make` is called once at every place, as with worker processes; fieldcraft and the data have to be on all machines,
    under the same paths. `address`: of a running cluster ("host:port", or "auto" for the one that this machine belongs
    to); None starts one on this machine alone. `limit_s`: longest time of a trial, by stage.
    A trial whose machine died runs again on another one.
    Raises: MissingExtraError without Ray; RunError when there is no cluster at the address, no machine in it has
    `threads` processors, or `make` cannot be sent.
    """

    def __init__(
        self, make: Callable[[], Run], threads: int, *,
        address: str | None = None, limit_s: Mapping[Stage, float] | None = None,
    ) -> None:  # fmt: skip
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        require_ray()
        import ray

        try:
            body = cloudpickle.dumps(make)
        except Exception as error:
            raise RunError(f"what is trained cannot be sent to other machines ({in_words(error)}).") from error
        self._ray: Any = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            _connect(ray, address)
        self._threads = threads
        self._class = ray.remote(_Place).options(num_cpus=threads)
        self._arguments = (body, threads, dict(limit_s or {}))
        self._running: dict[Any, _Running] = {}
        self._idle: list[tuple[Any, int]] = []
        self._deaths: Counter[str] = Counter()
        self._made = 0
        self._closed = False
        self._fits = 0
        if not self._fitting():
            self.close()
            raise RunError(f"no machine of the Ray cluster has {threads} processors: start one that has, or use fewer.")

    @property
    def places(self) -> int:
        """Trials that run at once on the machines that are there now; after the end, on those that were."""
        return self._fits if self._closed else max(1, self._fitting())

    def start(self, trial: Trial) -> None:
        """Hand a trial in; it waits while no machine has room for it."""
        actor, place = self._idle.pop() if self._idle else self._another()
        self._running[actor.carry_out.remote(trial)] = _Running(trial, actor, place)

    def ended(self, timeout_s: float) -> Outcome | None:
        """The next outcome; None when nothing ended within the time.

        Raises: FieldcraftError when a place cannot be prepared, since then no other could.
        """
        until = time.monotonic() + timeout_s
        while self._running:
            self._make_room()
            wait_s = min(LOOK_S, max(0.0, until - time.monotonic()))
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=wait_s)
            if ready and (outcome := self._take(ready[0])):
                return outcome
            if not ready and time.monotonic() >= until:
                return None
        time.sleep(max(0.0, until - time.monotonic()))
        return None

    def close(self) -> None:
        """Free all places, with or without trials in them; a cluster that was there before stays."""
        for actor in [*(one.actor for one in self._running.values()), *(actor for actor, _ in self._idle)]:
            self._kill(actor)
        self._running.clear()
        self._idle.clear()
        self._closed = True
        if self._ours:
            self._ray.shutdown()

    def _fitting(self) -> int:
        alive = (node["Resources"] for node in self._ray.nodes() if node["Alive"])
        self._fits = sum(int(resources.get("CPU", 0) // self._threads) for resources in alive)
        return self._fits

    def _make_room(self) -> None:
        """Give idle places back where there are more than fit: a trial of a dead machine may be waiting for one."""
        if self._idle and len(self._idle) + len(self._running) > self._fitting():
            self._kill(self._idle.pop()[0])

    def _another(self) -> tuple[Any, int]:
        self._made += 1
        return self._class.remote(*self._arguments), self._made - 1

    def _take(self, reference: Any) -> Outcome | None:
        """The outcome of a trial that ended; None when its machine died and it was started again."""
        one = self._running.pop(reference)
        try:
            answer: Outcome | Unmade = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise RunError(f"a place on the cluster failed: {in_words(error.cause or error)}") from error
        except self._ray.exceptions.RayError as error:
            self._kill(one.actor)
            self._deaths[one.trial.key] += 1
            if self._deaths[one.trial.key] < MOST_DEATHS:
                self.start(one.trial)
                return None
            told = f"{MOST_DEATHS} machines died while they ran it, the last one with {in_words(error)}"
            return replace(failed(one.trial, told, 0.0), worker=one.place)
        if isinstance(answer, Unmade):
            raise (FieldcraftError if answer.for_a_person else RunError)(answer.error)
        self._idle.append((one.actor, one.place))
        died = self._deaths.pop(one.trial.key, 0)
        notes = (f"run again after a machine died ({died} times)",) if died else ()
        return replace(answer, worker=one.place, notes=(*answer.notes, *notes))

    def _kill(self, actor: Any) -> None:
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(actor)


class _Place:
    """The actor: one worker process, one trial at a time."""

    def __init__(self, make: bytes, threads: int, limit_s: Mapping[Stage, float]) -> None:
        # Other places may be on the same machine: Ray counts processors, it does not say which.
        self._engine = Processes(partial(_made, make), 1, threads, limit_s=limit_s, pinned=False)

    def carry_out(self, trial: Trial) -> Outcome | Unmade:
        """Run it to its end."""
        self._engine.start(trial)
        try:
            while (outcome := self._engine.ended(60.0)) is None:
                pass
        except FieldcraftError as error:
            return Unmade(str(error), for_a_person=True)
        return outcome


def _made(make: bytes) -> Run:
    """Unpacked in the worker process alone, so that the actor beside it imports no torch."""
    run: Run = cloudpickle.loads(make)()
    return run


def _connect(ray: Any, address: str | None) -> None:
    try:
        if address is None:
            ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise RunError(
            f"cannot reach a Ray cluster at {address or 'this machine'} ({in_words(error)}): start one with "
            "`ray start --head`, or leave --address out to use this machine alone."
        ) from error
