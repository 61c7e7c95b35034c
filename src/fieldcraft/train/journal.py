"""The journal: every decision that changes what is computed, on disk before it acts; and the clock.

A line that a kill cut in half is dropped when the journal is read: what it announced had not begun.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from fieldcraft.records.files import append_line
from fieldcraft.records.versions import bring_forward, stamp


@checked(frozen=True, kw_only=True)
class Tick:
    """So much of the budget was spent."""

    event: Literal["tick"] = "tick"
    spent_s: float
    stage: str


@checked(frozen=True, kw_only=True)
class Cooled:
    """The rung's rate goes down from step `at` to end at step `end`, because the machine was slower than planned."""

    event: Literal["cool-down"] = "cool-down"
    rung: str
    at: int
    end: int
    because: str


@checked(frozen=True, kw_only=True)
class Retimed:
    """From step `at` on the rest of the rung is stretched or compressed to end at step `end`, as the pace asks for."""

    event: Literal["retiming"] = "retiming"
    rung: str
    at: int
    end: int
    because: str


@checked(frozen=True, kw_only=True)
class RateCut:
    """Validation stopped getting better: from step `at` on the rate is smaller. A resumed run decides it again."""

    event: Literal["rate-cut"] = "rate-cut"
    rung: str
    at: int
    because: str


@checked(frozen=True, kw_only=True)
class EarlyStop:
    """Validation stopped getting better: the rung ends at step `at` with the weights of step `best`."""

    event: Literal["early-stop"] = "early-stop"
    rung: str
    at: int
    best: int
    because: str


@checked(frozen=True, kw_only=True)
class BackedOff:
    """The loss was no number, or leapt: back to an earlier step with a smaller rate."""

    event: Literal["back-off"] = "back-off"
    rung: str
    step: int
    back_to: int
    lr_scale: float
    because: str
    samples: tuple[str, ...]


@checked(frozen=True, kw_only=True)
class SmallerMicro:
    """Memory ran out: fewer samples pass through the network at once."""

    event: Literal["smaller-micro-batch"] = "smaller-micro-batch"
    rung: str
    step: int
    micro: int
    because: str


@checked(frozen=True, kw_only=True)
class Climbed:
    """Whether the next rung is trained, or the average made, and why."""

    event: Literal["climb"] = "climb"
    rung: str
    go: bool
    because: str


@checked(frozen=True, kw_only=True)
class Noted:
    """Anything else that a reader of the run should know."""

    event: Literal["note"] = "note"
    text: str


@checked(frozen=True, kw_only=True)
class Finished:
    """The run is complete."""

    event: Literal["finished"] = "finished"
    spent_s: float


Event = Annotated[
    Tick | Cooled | Retimed | RateCut | EarlyStop | BackedOff | SmallerMicro | Climbed | Noted | Finished,
    Field(discriminator="event"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


@dataclass(frozen=True)
class Journal:
    """An append-only file of events."""

    path: Path

    def write(self, event: Event) -> None:
        """Append one event and wait until it is on disk.

        Raises: RunError when it cannot be written.
        """
        append_line(
            self.path,
            json.dumps(stamp("journal", _EVENT.dump_python(event, mode="json"))),
            remedy="Free some space or make the folder writable, then run the same command again: it goes on from the "
            "last checkpoint.",
        )

    def read(self) -> tuple[Event, ...]:
        """All events, oldest first; none when there is no journal yet."""
        if not self.path.exists():
            return ()
        events = []
        for line in self.path.read_bytes().split(b"\n"):
            try:
                document = json.loads(line)
            except ValueError:
                continue
            events.append(_EVENT.validate_python(bring_forward("journal", document, str(self.path))))
        return tuple(events)


def spent(events: tuple[Event, ...]) -> float:
    """Seconds that the run had spent by its last tick."""
    return max((event.spent_s for event in events if isinstance(event, Tick | Finished)), default=0.0)
