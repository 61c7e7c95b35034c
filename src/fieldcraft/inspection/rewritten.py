"""What a rewrite gives: the new module, what changed, cost before and after, and how far the outputs differ."""

from dataclasses import dataclass

from torch import nn

from fieldcraft.inspection.rewrites.interface import Change, Options
from fieldcraft.records.anatomy import Anatomy


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What a whole module costs, for one sample."""

    macs: int
    parameters: int
    rows: int
    """Operations."""
    fields: tuple[int, ...]
    """Receptive field of the first output on the first input, in pixels along each axis; () where none is known."""


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """A changed copy of a module."""

    module: nn.Module
    changes: tuple[Change, ...]
    left: tuple[Change, ...]
    """What looked as if it would fit, and why it was left."""
    names: tuple[str, ...]
    """Of the rewrites that changed something, in their order."""
    safe: bool
    """All of them keep the function."""
    before: Sums
    after: Sums
    difference: float | None
    """Largest |new - old| over largest |old|, of any output over random inputs in evaluation.

    None where outputs have other shapes, or the module has no numbers.
    """
    options: Options

    @property
    def name(self) -> str:
        """The rewrites in one word."""
        return "+".join(self.names)


def sums(anatomy: Anatomy) -> Sums:
    """Of an anatomy."""
    last = anatomy.maker.get(anatomy.outputs[0]) if anatomy.outputs else None
    fields = last.fields[0].axes if last is not None and last.fields else ()
    return Sums(
        macs=anatomy.macs,
        parameters=anatomy.parameter_count,
        rows=len(anatomy.rows),
        fields=tuple(axis.size for axis in fields),
    )
