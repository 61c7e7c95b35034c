"""A decision: what one tip did to the plan, and why."""

from typing import Literal

from pydantic.dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One line of the plan's story; kept in `plan.toml` and shown in the report."""

    tip: str
    """The tip's name, or "by hand" for an edit."""
    outcome: Literal["applied", "skipped", "left-out"]
    because: str
    sets: tuple[str, ...] = ()
    """Dotted names of the plan's fields that it set."""
