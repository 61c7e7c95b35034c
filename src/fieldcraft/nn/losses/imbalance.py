"""Numbers that make up for classes of unequal size, from how many training samples each has."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Evening = Literal["none", "square-root", "balanced"]

POWER: dict[Evening, float] = {"none": 0.0, "square-root": 0.5, "balanced": 1.0}


def class_weights(counts: Sequence[int], evening: Evening) -> Tensor:
    """What a sample of each class counts: as count ** -1 ("balanced") or ** -0.5, with mean 1 over the samples.

    Shape: float32 (classes,); a class without samples counts as one with one.
    """
    numbers = torch.tensor(counts, dtype=torch.float64)
    raw = numbers.clamp(min=1) ** -POWER[evening]
    return (raw * (numbers.sum() / (numbers * raw).sum().clamp(min=1e-12))).float()


def positive_weights(counts: Sequence[int], total: int, evening: Evening) -> Tensor:
    """What a present label counts against an absent one: (absent / present) ** 1 ("balanced") or ** 0.5.

    Shape: float32 (labels,); of `total` samples, `counts` have the label. A label that none or all have counts 1.
    """
    present = torch.tensor(counts, dtype=torch.float64)
    absent = total - present
    ratio = torch.where((present > 0) & (absent > 0), absent / present.clamp(min=1), torch.ones_like(present))
    return (ratio ** POWER[evening]).float()


def log_priors(counts: Sequence[int]) -> Tensor:
    """Logarithm of each class's share, float32 (classes,); a class without samples counts as one with one.

    Source: Menon et al. 2021, arXiv:2007.07314: added to the logits while training, so that what the logits alone say
    is right for classes of equal size.
    """
    numbers = torch.tensor(counts, dtype=torch.float64).clamp(min=1)
    return (numbers / numbers.sum()).log().float()
