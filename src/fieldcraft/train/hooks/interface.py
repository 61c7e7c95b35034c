"""What a hook may listen to."""

from dataclasses import dataclass
from typing import Protocol

from fieldcraft.records.training import Look


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A few optimiser steps were taken."""

    rung: str
    step: int
    """Steps taken so far."""
    end: int
    """Step at which the rung ends as things stand."""
    loss: float
    """Mean over these steps, in the units of the loss."""
    lr: float
    ms: float
    """Milliseconds a step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated:
    """The validation part was looked at."""

    rung: str
    step: int
    metric: float
    """The plan's metric."""


class Hook(Protocol):
    """A listener."""

    def begin(self, rung: str, step: int, end: int) -> None:
        """A rung begins, or goes on from `step`."""
        ...

    def trained(self, record: Trained) -> None:
        """Steps were taken."""
        ...

    def validated(self, record: Validated) -> None:
        """Validation was looked at."""
        ...

    def looked(self, record: Look) -> None:
        """A step was seen from inside."""
        ...

    def close(self) -> None:
        """Training is over, for whatever reason."""
        ...
