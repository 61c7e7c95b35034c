"""One fit as a user types it, in a process of its own; what it found, how long it took, what memory it needed."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import TypeVar

T = TypeVar("T")

DATA = Path(os.environ.setdefault("FIELDCRAFT_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data")))


@dataclass(frozen=True)
class Fit:
    """What one command gave."""

    results: dict
    seconds: float
    journal: list[dict]
    metrics: list[dict]

    def test(self, metric: str) -> float:
        """A metric on the test part."""
        return float(self.results["test"]["metrics"][metric]["value"])

    def validation(self) -> dict[str, float]:
        """The plan's metric of each candidate."""
        return {one["name"]: one["validation"] for one in self.results["candidates"]}


def command(*arguments: str, core: int | str | None = None) -> None:
    """Run `fieldcraft ARGUMENTS`, on one core (or several, as in "0,1") if it is named; it prints to standard error."""
    subprocess.run(
        [*on_core(core), sys.executable, "-m", "fieldcraft", *arguments], check=True,
        env={**os.environ, "TERM": "dumb"}, stdout=sys.stderr,
    )  # fmt: skip


def on_core(core: int | str | None) -> list[str]:
    """What a command begins with that is to see no other core than one, or than those of a list as in "0,1"."""
    return [] if core is None else ["taskset", "-c", str(core)]


def side_by_side(tasks: Sequence[Callable[[int], T]]) -> Iterator[T]:
    """Results of tasks in their order; as many at a time as there are cores, each given a core of its own."""
    free: Queue[int] = Queue()
    for core in sorted(os.sched_getaffinity(0)):
        free.put(core)

    def run(task: Callable[[int], T]) -> T:
        core = free.get()
        try:
            return task(core)
        finally:
            free.put(core)

    with ThreadPoolExecutor(free.qsize()) as pool:
        yield from pool.map(run, tasks)


def fit(*arguments: str, core: int | None = None) -> Fit:
    """Run `fieldcraft fit ARGUMENTS --out (a new folder)`, on one core if one is named."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        began = time.perf_counter()
        command("fit", *arguments, "--out", str(out), core=core)
        seconds = time.perf_counter() - began
        return Fit(
            results=json.loads((out / "results.json").read_text()),
            seconds=seconds,
            journal=_lines(out / "journal.jsonl"),
            metrics=_lines(out / "metrics.jsonl"),
        )


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
