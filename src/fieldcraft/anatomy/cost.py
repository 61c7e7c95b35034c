"""What operations cost: multiply-adds by a plain table, and bytes moved."""

from fieldcraft.records.operations import Operation

Shapes = tuple[tuple[int, ...], ...]


def macs(operation: Operation, inputs: Shapes, outputs: Shapes) -> int | None:
    """Multiply-adds; None where there is no rule."""
    return None
