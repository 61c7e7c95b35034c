"""Progress on the terminal: one line a rung with its loss, its rate and the time that it still takes."""

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

if TYPE_CHECKING:
    from fieldcraft.records.training import Look
    from fieldcraft.train.hooks.interface import Trained, Validated


class ProgressBar:
    """A hook that draws; on something that is no terminal it prints a line every ten seconds instead."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._metric = ""
        self._printed = 0.0
        self._began = (0.0, 0)

    def begin(self, rung: str, step: int, end: int) -> None:
        """Start a bar."""
        self.close()
        self._metric = ""
        self._began = (time.monotonic(), step)
        self._printed = time.monotonic()
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[told]}"), console=self._console, transient=True,
            )  # fmt: skip
            self._progress.start()
            self._task = self._progress.add_task(rung, total=end, completed=step, told="")

    def trained(self, record: "Trained") -> None:
        """Move the bar; the time left is steps left times seconds a step since this process began the rung."""
        since, first = self._began
        step_s = (time.monotonic() - since) / max(1, record.step - first)
        left_s = (record.end - record.step) * step_s
        told = f"loss {record.loss:.3f}{self._metric}  {left_s:.0f} s left"
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=record.step, total=record.end, told=told)
        elif time.monotonic() - self._printed > 10:
            self._console.print(f"  {record.rung}: step {record.step:,} of {record.end:,}, {told}", highlight=False)
            self._printed = time.monotonic()

    def validated(self, record: "Validated") -> None:
        """Show the metric from now on."""
        self._metric = f"  validation {record.metric:.4g}"

    def looked(self, record: "Look") -> None:
        """Nothing to show."""

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
