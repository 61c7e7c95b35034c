"""Memory of a training step on patches, predicted for any patch without running it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.memory import kept_for_backward
from fieldcraft.data.loader import Batch
from fieldcraft.regimes.interface import Regime
from fieldcraft.train.engine import Engine
from fieldcraft.train.memory import COPIES, MIB, predict

GRADIENTS = 1.6
"""Growth of the process as a multiple of what autograd keeps. In benchmarks/patch_memory.py processes grew by 0.71 to
0.98 of what is predicted with it, for U-Nets in two and three axes; in one axis by 1.16, so leave room there."""


@dataclass(frozen=True, kw_only=True)
class PatchMemory:
    """What a training step of one network is expected to take, for any patch and batch."""

    net: nn.Module
    channels: int
    context: tuple[int, ...]
    """By how many voxels the image reaches beyond the patch on each side."""
    share: float = 1.0
    """Of what single precision keeps of each patch in the network alone."""
    once_mib: float = 0.0
    """Kept whatever the number of patches: weights in another precision."""

    @classmethod
    def of(cls, net: nn.Module, *, channels: int, context: Sequence[int] = ()) -> "PatchMemory":
        """In single precision and without a loss, from shapes alone."""
        return cls(net=net, channels=channels, context=tuple(context))

    @classmethod
    def measured_on(
        cls, net: nn.Module, regime: Regime, batch: Batch, engine: Engine, *, context: Sequence[int] = ()
    ) -> "PatchMemory":
        """With the plan's precision and loss, as steps on one and on two or more small patches show them.

        The network stays as it was. Raises: ValueError for a batch of one.
        """
        if len(batch.rows) < 2:
            raise ValueError("two patches or more are needed to tell what each keeps from what all keep.")
        one = Batch(batch.inputs[:1].clone(), batch.targets[:1].clone(), batch.rows[:1])  # no views: storages count
        first, all_of_them = (
            predict(net, regime, some, engine).sample_mib / 2 * len(some.rows) for some in (one, batch)
        )
        each = (all_of_them - first) / (len(batch.rows) - 1)
        shape = tuple(batch.inputs.shape[1:])
        share = each * MIB / kept_for_backward(net, [Input(shape=shape)], batch=1)
        return cls(net=net, channels=shape[0], context=tuple(context), share=share, once_mib=max(0.0, first - each))

    def kept_mib(self, patch: Sequence[int]) -> float:
        """What autograd keeps for one patch; from a pass without numbers, which takes a fraction of a second."""
        context = self.context or (0,) * len(patch)
        sides = (side + 2 * more for side, more in zip(patch, context, strict=True))
        return self.share * kept_for_backward(self.net, [Input(shape=(self.channels, *sides))], batch=1) / MIB

    @property
    def fixed_mib(self) -> float:
        """Weights, gradients, two optimiser moments, average, snapshot; weights in another precision."""
        weights = sum(one.numel() * one.element_size() for one in self.net.parameters()) / MIB
        return COPIES * weights + self.once_mib

    def total_mib(self, patch: Sequence[int], batch: int) -> float:
        """Of a step with `batch` patches at once; what the process holds besides comes on top."""
        return self.fixed_mib + batch * GRADIENTS * self.kept_mib(patch)
