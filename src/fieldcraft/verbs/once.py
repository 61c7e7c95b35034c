"""One training outside of any run, as trials need it: it leaves nothing behind, and says what it took."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch

from fieldcraft.train.clock import Clock
from fieldcraft.train.engine import Engine
from fieldcraft.train.journal import Cooled, Journal, Retimed
from fieldcraft.train.loop import Outcome
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.work import Work

SLOWER = 3.0
"""Times its planned seconds that a training may take before it is cooled down early."""
LEAST_LIMIT_S = 3.0


class Trained(Protocol):
    """What a training ends with, whatever was trained."""

    @property
    def machine(self) -> Engine:
        """Where."""

    @property
    def outcome(self) -> Outcome:
        """What came of it."""

    @property
    def parameters(self) -> int:
        """How many weights the network has."""

    @property
    def step_mib(self) -> float | None:
        """What a training step is expected to take on the CPU; None where that was not looked at."""


Found = TypeVar("Found", bound=Trained)


@dataclass(frozen=True, kw_only=True, eq=False)
class Once(Generic[Found]):
    """What came of one training."""

    trained: Found
    memory_mib: float | None
    """Of its steps: of a GPU the peak above what lay there before, else what was expected of one."""
    notes: tuple[str, ...]
    """What is worth a note."""


def once(planned_s: float, share_mib: float, train: Callable[[Work], Found]) -> Once[Found]:
    """Train outside of any run; the peak is read before anything is predicted. `share_mib`: of the free memory.

    Raises: Diverged when the loss stays no number.
    """
    with outside_of_runs(planned_s, share_mib) as work:
        before_mib = _begun_mib()
        trained = train(work)
        on_gpu = trained.machine.device.type == "cuda"
        return Once(
            trained=trained,
            memory_mib=torch.cuda.max_memory_allocated() / 2**20 - before_mib if on_gpu else trained.step_mib,
            notes=_notes(work),
        )


@contextmanager
def outside_of_runs(planned_s: float, share_mib: float) -> Iterator[Work]:
    """Surroundings of one training that leave nothing behind; it is cooled down where it takes far too long."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch))
        yield Work(
            folder=folder, journal=Journal(folder.journal), hooks=(), stop=lambda: False, say=lambda text: None,
            reserve_s=0.0, clock=Clock(budget_s=max(LEAST_LIMIT_S, SLOWER * planned_s), started=time.monotonic()),
            share_mib=share_mib,
        )  # fmt: skip


def _begun_mib() -> float:
    """What a GPU holds already, networks that are kept for later trials among it; its peak counts from here on."""
    if not torch.cuda.is_available():
        return 0.0
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated() / 2**20


def _notes(work: Work) -> tuple[str, ...]:
    earlier = any(isinstance(event, Cooled | Retimed) for event in work.journal.read())
    return ("ended early: it was slower than planned",) if earlier else ()
