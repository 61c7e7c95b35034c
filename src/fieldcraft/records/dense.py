"""What has to be known of a net that gives a map, before it is trained on patches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseFacts:
    """How far a net sees where it sees furthest, what it weighs, and what it leaves of its input. An entry an axis."""

    field: tuple[int, ...]
    """Positions of the input that one position of the deepest stage sees, by way of convolutions and local pools: norms
    over the map, and gates and means of all of it, are left out."""
    stride: tuple[int, ...]
    """Positions of the input between neighbours of the deepest stage."""
    output_field: tuple[int, ...]
    """Positions of the input that one position of the output sees, in the same way."""
    smaller: tuple[int, ...]
    """Positions that the output lacks of the input, both sides together; 0 where it has the same size."""
    size: tuple[int, ...]
    """Of the input that was looked at."""
    parameters: int
    macs: int
    """Multiply-adds for one such input."""
