"""The surroundings of a verb, for tests of its parts."""

from collections.abc import Callable
from pathlib import Path

from fieldcraft.train.clock import Clock
from fieldcraft.train.journal import Journal
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.work import Work


def work(path: Path, *, budget_s: float | None = None, now: Callable[[], float] = lambda: 0.0) -> Work:
    """Nobody listens, nobody asks to stop."""
    folder = RunFolder(path)
    return Work(
        folder=folder,
        journal=Journal(folder.journal),
        clock=Clock(budget_s=budget_s, started=0.0, now=now),
        hooks=(),
        stop=lambda: False,
        say=lambda text: None,
        reserve_s=0.0,
    )
