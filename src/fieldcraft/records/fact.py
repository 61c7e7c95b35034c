"""A fact: one value that was measured, how, and on what."""

from typing import Generic, TypeVar

from pydantic.dataclasses import dataclass

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Fact(Generic[T]):
    """One value that was measured, how, and on what."""

    value: T
    method: str
    """How it was found, in a few words."""
    sample: str
    """What it was found on: "all 1,797 images", "2,000 of 60,000"."""
