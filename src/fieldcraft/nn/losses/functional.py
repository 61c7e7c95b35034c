"""Losses as functions: network outputs and targets to one number, a mean over the samples."""

import torch.nn.functional as F
from torch import Tensor

from fieldcraft.nn.losses.voxels import at_least_single


def cross_entropy(
    outputs: Tensor,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    weights: Tensor | None = None,
    adjustment: Tensor | None = None,
    void: int | None = None,
) -> Tensor:
    """Softmax cross-entropy with a share of each target spread evenly over all classes.

    Shape: (n, classes, *spatial), int64 (n, *spatial) or shares float (n, classes, *spatial) -> (). Units: nats.
    A sample is one position where there are some. Samples of the class id `void` count nowhere (0 when all are).
    With q = (1 - smoothing) target + smoothing / classes: mean over samples of -sum weights q log softmax(outputs +
    adjustment); `weights` and `adjustment` are float (classes,). The mean is over samples, not over weights, so that
    parts of a batch add up to the whole.
    Source: Szegedy et al. 2016, arXiv:1512.00567, section 7; Menon et al. 2021, arXiv:2007.07314, eq. 10 (adjustment).
    """
    if adjustment is not None:
        outputs = outputs + adjustment.reshape(-1, *[1] * (outputs.dim() - 2))
    if void is not None:
        outputs = at_least_single(outputs)
        each = F.cross_entropy(
            outputs, targets, weight=weights, label_smoothing=smoothing, ignore_index=void, reduction="none"
        )
        return each.sum() / (targets != void).sum().clamp(min=1)
    if weights is None:
        return F.cross_entropy(outputs, targets, label_smoothing=smoothing)
    return F.cross_entropy(outputs, targets, weight=weights, label_smoothing=smoothing, reduction="none").mean()


def binary_cross_entropy(
    outputs: Tensor, targets: Tensor, *, smoothing: float = 0.0, positive: Tensor | None = None
) -> Tensor:
    """Sigmoid cross-entropy of each label, both targets moved towards one half by `smoothing` / 2.

    Shape: (n, labels), float (n, labels) in [0, 1] -> (). Units: nats, averaged over samples and labels. `positive`,
    float (labels,), multiplies what present labels add.
    """
    softened = targets * (1 - smoothing) + smoothing / 2 if smoothing else targets
    return F.binary_cross_entropy_with_logits(outputs, softened, pos_weight=positive)


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of (outputs - targets)^2.

    Shape: (n, t), (n, t) -> (). Raises: ValueError when the shapes differ (broadcasting would hide a mistake).
    """
    _same_shape(outputs, targets)
    return F.mse_loss(outputs, targets)


def huber(outputs: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """Half the squared error below `delta`, delta (|error| - delta / 2) above it.

    Shape: (n, t), (n, t) -> (). Raises: ValueError when the shapes differ.
    Source: Huber 1964, doi:10.1214/aoms/1177703732.
    """
    _same_shape(outputs, targets)
    return F.huber_loss(outputs, targets, delta=delta)


def _same_shape(outputs: Tensor, targets: Tensor) -> None:
    if outputs.shape != targets.shape:
        raise ValueError(
            f"outputs and targets must have one shape, but got {tuple(outputs.shape)} and {tuple(targets.shape)}."
        )
