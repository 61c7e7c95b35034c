"""Focal loss: cross-entropy that lets go of what is already right."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.losses.voxels import VOID, at_least_single, check_dense


def focal(
    logits: Tensor, target: Tensor, *, gamma: float = 2.0, weights: Tensor | None = None, void: int = VOID
) -> Tensor:
    """Mean over the positions that are not void of -weight (1 - p)^gamma log p, p the probability of the true class.

    `gamma` 0 is cross-entropy; `weights`, float (classes,), are those of the true class. 0 when all is void.

    Shape: logits (n, classes, *spatial), class ids (n, *spatial) -> (). Units: nats.
    Helps: many easy positions drown few hard ones, and no overlap loss stands beside it.
    Hurts: calibration (probabilities end less sure than they should be), and labels with noise at boundaries, which
    are what stays hard.
    Raises: ValueError when the shapes do not fit.
    Source: Lin et al. 2017, arXiv:1708.02002, equation 5.
    """
    check_dense(logits, target)
    known = target != void
    log_p = -F.cross_entropy(at_least_single(logits), target, ignore_index=void, reduction="none")
    # Below it the power of a gamma under 1 would have no finite slope, and the logarithm beside it is 0 anyway.
    error = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).eps)
    each = -log_p if gamma == 0 else -(error**gamma) * log_p
    if weights is not None:
        each = each * weights[torch.where(known, target, 0)]
    return each.sum() / known.sum().clamp(min=1)


class Focal(nn.Module):
    """`focal` with its settings kept. Shape: logits (n, classes, *spatial), class ids (n, *spatial) -> ().

    Raises: ValueError when `gamma` is negative.
    """

    weights: Tensor | None

    def __init__(self, gamma: float = 2.0, weights: Tensor | None = None, *, void: int = VOID) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"`gamma >= 0` must hold, but got {gamma=}.")
        self.gamma, self.void = gamma, void
        self.register_buffer("weights", weights)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mean over positions, in nats."""
        return focal(logits, target, gamma=self.gamma, weights=self.weights, void=self.void)
