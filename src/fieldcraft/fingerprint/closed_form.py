"""Ridge regression in closed form, cross-fitted: each sample is judged by a model that has not seen it."""

from dataclasses import dataclass

import torch
from torch import Tensor

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Of the weights, as shares of the features' mean square; the best by squared error on samples not seen is taken."""


@dataclass(frozen=True, eq=False)
class Crossed:
    """What models said of samples that they had not seen; (n, k) as the targets."""

    plain: Tensor
    changed: Tensor


def crossfit(plain: Tensor, changed: Tensor, target: Tensor, fold: Tensor, *, share: float) -> Crossed:
    """One linear model a fold, trained on the samples of all other folds and on changed copies of them.

    Args: features of the samples and of their copies, float32 (n, d); targets (n, k); fold of each sample, int64 (n,),
        at least two; `share` of the training weight that the copies have, 0 for none. An intercept is added.
    Cost: the products of features with each other are summed fold by fold, so that a model costs one d x d solve.
    """
    one = torch.ones(len(plain), 1)
    plain, changed = torch.cat([plain, one], dim=1), torch.cat([changed, one], dim=1)
    parts = [torch.nonzero(fold == number).flatten() for number in range(int(fold.max()) + 1)]
    square, cross = zip(*(_products(plain[part], target[part], 1 - share) for part in parts), strict=True)
    squares, crosses = torch.stack(square), torch.stack(cross)
    if share:
        square, cross = zip(*(_products(changed[part], target[part], share) for part in parts), strict=True)
        squares, crosses = squares + torch.stack(square), crosses + torch.stack(cross)
    weights = _solved(squares.sum(dim=0) - squares, crosses.sum(dim=0) - crosses)
    said, said_changed = (
        torch.stack([_in_place(features, parts, weights[:, number]) for number in range(len(PENALTIES))])
        for features in (plain, changed)
    )
    best = int((said - target).square().mean(dim=(1, 2)).argmin())
    return Crossed(said[best], said_changed[best])


def _products(features: Tensor, target: Tensor, weight: float) -> tuple[Tensor, Tensor]:
    return weight * (features.T @ features), weight * (features.T @ target)


def _solved(squares: Tensor, crosses: Tensor) -> Tensor:
    """(folds, penalties, d + 1, k); the intercept, which comes last, is not held back."""
    size = squares.shape[-1]
    scale = squares.diagonal(dim1=1, dim2=2)[:, :-1].mean(dim=1).clamp(min=1e-6)
    penalty = scale[:, None] * torch.tensor(PENALTIES)
    held = torch.eye(size)
    held[-1, -1] = 1e-6
    factor = torch.linalg.cholesky(squares[:, None] + penalty[:, :, None, None] * held)
    return torch.cholesky_solve(crosses[:, None].expand(-1, len(PENALTIES), -1, -1), factor)


def _in_place(features: Tensor, parts: list[Tensor], weights: Tensor) -> Tensor:
    said = features.new_empty(len(features), weights.shape[-1])
    for part, weight in zip(parts, weights, strict=True):
        said[part] = features[part] @ weight
    return said
