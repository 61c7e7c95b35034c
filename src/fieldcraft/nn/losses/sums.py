"""Losses added up: several of one output, or one of several outputs (deep supervision)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fieldcraft.nn.sizes import Size, per_axis


class Sum(nn.Module):
    """The weighted sum of losses of the same output and target, such as cross-entropy and Dice.

    Dice follows the overlap that is reported whatever the size of the object; cross-entropy has a steady gradient at
    every voxel and keeps probabilities honest: together they are the usual start.

    Shape: that of the losses. `weights`: one for each, 1 without them.
    Raises: ValueError when there are no losses, or not as many weights.
    Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (Dice and cross-entropy added up).
    """

    def __init__(self, losses: Sequence[nn.Module], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.weights = tuple(weights) if weights is not None else (1.0,) * len(losses)
        if not losses or len(self.weights) != len(losses):
            raise ValueError(
                f"a sum needs one loss or more and a weight for each, but got {len(losses)} and {weights}."
            )
        self.losses = nn.ModuleList(losses)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Add them up."""
        parts = [weight * loss(outputs, targets) for weight, loss in zip(self.weights, self.losses, strict=True)]
        return torch.stack(parts).sum()


class DeepSupervision(nn.Module):
    """A loss of the logits of several levels: their targets are thinned out, their weights halve and add up to 1.

    Position i of a level of stride s stands for the positions i s to i s + s - 1 of the input; its target is the class
    of the middle one (or of the last that there is). A single tensor, as nets give outside of training, gets the loss
    as it is.

    Shape: (n, classes, *ceil(size / strides[i])) a level, finest first; class ids (n, *size) -> ().
    `strides`: one entry a level, a number or one an axis (`UNet.output_strides`).
    `weights`: one a level instead of those that halve; they are used as given.
    Raises: ValueError when numbers of entries differ, or logits do not have the size that their stride gives.
    Source: Lee et al. 2014, arXiv:1409.5185; Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (weights halve).
    """

    def __init__(self, loss: nn.Module, strides: Sequence[Size], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.loss = loss
        self.strides = tuple(strides)
        self.weights = tuple(weights) if weights is not None else halving(len(self.strides))
        if not self.strides or len(self.weights) != len(self.strides):
            raise ValueError(f"one weight a level must be given, but got {weights} for {len(self.strides)} strides.")

    def forward(self, outputs: Tensor | Sequence[Tensor], targets: Tensor) -> Tensor:
        """The weighted sum over the levels."""
        if isinstance(outputs, Tensor):
            return self.loss(outputs, targets)  # type: ignore[no-any-return]
        if len(outputs) != len(self.strides):
            raise ValueError(f"logits of {len(self.strides)} levels must come, but got {len(outputs)}.")
        parts = []
        for weight, logits, stride in zip(self.weights, outputs, self.strides, strict=True):
            wanted = thinned(targets, stride)
            if logits.shape[2:] != wanted.shape[1:]:
                raise ValueError(
                    f"logits of stride {stride} must have the size {tuple(wanted.shape[1:])}, but have "
                    f"{tuple(logits.shape[2:])}: give the strides of the net, `output_strides` of a U-Net."
                )
            parts.append(weight * self.loss(logits, wanted))
        return torch.stack(parts).sum()


def halving(levels: int) -> tuple[float, ...]:
    """Weights that halve from level to level and add up to 1."""
    return tuple(2.0 ** (levels - 1 - level) / (2**levels - 1) for level in range(levels))


def thinned(target: Tensor, stride: Size) -> Tensor:
    """Class ids (n, *size) at the middle of every block of `stride` positions: (n, *ceil(size / stride))."""
    for axis, step in enumerate(per_axis(stride, target.dim() - 1, "a stride"), start=1):
        if step > 1:
            size = target.shape[axis]
            places = torch.arange(-(-size // step), device=target.device) * step + step // 2
            target = target.index_select(axis, places.clamp(max=size - 1))
    return target
