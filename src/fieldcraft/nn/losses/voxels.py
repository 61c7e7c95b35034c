"""What dense losses share: logits and class ids of one shape, a void label, one-hot masks."""

import torch
from torch import Tensor

VOID = -1
"""The class id of positions that count nowhere."""


def check_dense(logits: Tensor, target: Tensor) -> None:
    """Raises: ValueError unless logits are (n, classes, *spatial) and class ids whole numbers (n, *spatial)."""
    fits = logits.dim() > 2 and target.shape == (logits.shape[0], *logits.shape[2:])
    if not fits or target.is_floating_point():
        raise ValueError(
            "logits must be (n, classes, *spatial) and the target whole numbers (n, *spatial), but got "
            f"{tuple(logits.shape)} and {tuple(target.shape)} of {target.dtype}. Of a net with valid convolutions, cut "
            "the target to the part that it gives."
        )


def known_and_one_hot(target: Tensor, classes: int, void: int) -> tuple[Tensor, Tensor]:
    """Where the target is not void, float (n, 1, *spatial), and its classes one-hot, float (n, classes, *spatial).

    A void position belongs to no class. Raises: an index error from torch when an id is `classes` or more.
    """
    known = target != void
    ids = torch.where(known, target, 0).long().unsqueeze(1)
    shape = (target.shape[0], classes, *target.shape[1:])
    one_hot = torch.zeros(shape, device=target.device).scatter_(1, ids, known.unsqueeze(1).float())
    return known.unsqueeze(1).float(), one_hot


def at_least_single(x: Tensor) -> Tensor:
    """Half precision made single: sums over many positions would overflow or stall."""
    return x if x.dtype == torch.float64 else x.float()
