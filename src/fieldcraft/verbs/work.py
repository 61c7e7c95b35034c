"""What a running verb carries with it: its folder, its clock, its journal, who listens, whether to stop."""

from collections.abc import Callable
from dataclasses import dataclass

from fieldcraft.errors import Stopped
from fieldcraft.train import memory
from fieldcraft.train.clock import Clock
from fieldcraft.train.hooks.interface import Hook
from fieldcraft.train.journal import Journal, Noted, Tick
from fieldcraft.train.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Work:
    """The surroundings of a run."""

    folder: RunFolder
    journal: Journal
    clock: Clock
    hooks: tuple[Hook, ...]
    stop: Callable[[], bool]
    say: Callable[[str], None]
    """Tells the user one thing that happened."""
    reserve_s: float
    """Of the budget, kept for predictions and the report."""
    share_mib: float | None = None
    """Of the free memory, where others work beside it; None: all that is free."""

    @property
    def free_mib(self) -> float:
        """Memory that may be counted on. A share does not change with what others take at the moment."""
        return memory.free_mib() if self.share_mib is None else self.share_mib

    def tick(self, stage: str) -> None:
        """The time since the last tick was spent on this stage."""
        self.journal.write(Tick(spent_s=self.clock.spent_s, stage=stage))

    def spent_on(self, *stages: str) -> float:
        """Seconds spent on some stages so far."""
        spent = self.seconds()
        return sum(spent.get(stage, 0.0) for stage in stages)

    def seconds(self) -> dict[str, float]:
        """Seconds by stage, in the order in which the stages began."""
        found: dict[str, float] = {}
        last = 0.0
        for event in self.journal.read():
            if isinstance(event, Tick):
                found[event.stage] = found.get(event.stage, 0.0) + max(0.0, event.spent_s - last)
                last = max(last, event.spent_s)
        return found

    def note(self, text: str) -> None:
        """Keep something for the report, once, and say it."""
        if not any(isinstance(event, Noted) and event.text == text for event in self.journal.read()):
            self.journal.write(Noted(text=text))
        self.say(text)

    def check_stop(self) -> None:
        """Raises: Stopped when someone asked to stop."""
        if self.stop():
            raise Stopped("")
