"""Memory of a training step on patches, predicted for any patch without running it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.memory import kept_for_backward
from fieldcraft.train.memory import COPIES, MIB

GRADIENTS = 1.6
"""Growth of the process as a multiple of what autograd keeps. In benchmarks/patch_memory.py processes grew by 0.71 to
0.98 of what is predicted with it, for U-Nets in two and three axes; in one axis by 1.16, so leave room there."""


@dataclass(frozen=True, kw_only=True)
class PatchMemory:
    """What a training step of one network is expected to take, for any patch and batch.

    Told from shapes alone, in single precision and without a loss: where kernels know bf16, steps keep
    about half.
    """

    net: nn.Module
    channels: int
    context: tuple[int, ...] = ()
    """By how many voxels the image reaches beyond the patch on each side."""

    def kept_mib(self, patch: Sequence[int]) -> float:
        """What autograd keeps for one patch; from a pass without numbers, which takes a fraction of a second."""
        context = self.context or (0,) * len(patch)
        sides = (side + 2 * more for side, more in zip(patch, context, strict=True))
        return kept_for_backward(self.net, [Input(shape=(self.channels, *sides))], batch=1) / MIB

    @property
    def fixed_mib(self) -> float:
        """Weights, gradients, two optimiser moments, average, snapshot."""
        weights = sum(one.numel() * one.element_size() for one in self.net.parameters()) / MIB
        return COPIES * weights

    def total_mib(self, patch: Sequence[int], batch: int) -> float:
        """Of a step with `batch` patches at once; what the process holds besides comes on top."""
        return self.fixed_mib + batch * GRADIENTS * self.kept_mib(patch)
