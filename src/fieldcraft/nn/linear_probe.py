"""A linear map fitted to features that stay as they are: what a frozen body is worth, and where a head may start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

PENALTIES = (1.0, 0.1, 0.01, 0.001, 1e-4)
"""Of the squared weights, for standardised features; from the strongest on, each from where the last one ended."""
ITERATIONS = 60


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A linear map of standardised features: weight @ ((features - mean) / scale) + bias."""

    weight: Tensor
    """float32 (outputs, features)."""
    bias: Tensor
    """float32 (outputs,)."""
    mean: Tensor
    """float32 (features,)."""
    scale: Tensor
    """float32 (features,): deviations; 1 for features that are the same for all samples."""
    penalty: float
    held_loss: float
    """On the samples that chose the penalty."""


def linear_probe(
    features: Tensor,
    targets: Tensor,
    held: tuple[Tensor, Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    outputs: int,
    *,
    penalties: Sequence[float] = PENALTIES,
) -> LinearProbe:
    """Minimise loss + penalty / 2 * |weight|^2 over standardised features (L-BFGS); `held` samples choose the penalty.

    Shape: features (n, d), targets as the loss takes them; `held` the same of other samples. Convex for every loss that
    is convex in its outputs, so that the answer does not depend on where it starts.
    Hurts: features of more numbers than samples, where only the penalty keeps the fit from being perfect.
    """
    mean, std = features.mean(0), features.std(0, correction=0)
    scale = torch.where(std > 1e-6, std, torch.ones_like(std))
    known, unseen = (((one - mean) / scale).double() for one in (features, held[0]))
    weight = torch.zeros(outputs, features.shape[1], dtype=torch.float64, device=features.device, requires_grad=True)
    bias = torch.zeros(outputs, dtype=torch.float64, device=features.device, requires_grad=True)
    best: LinearProbe | None = None
    for penalty in sorted(penalties, reverse=True):
        _descend(known, targets, loss, weight, bias, penalty)
        with torch.no_grad():
            found = float(loss((unseen @ weight.T + bias).float(), held[1]))
            if best is None or found < best.held_loss:
                best = LinearProbe(weight.detach().float(), bias.detach().float(), mean, scale, penalty, found)
    assert best is not None
    return best


def _descend(
    features: Tensor, targets: Tensor, loss: Callable[[Tensor, Tensor], Tensor], weight: Tensor, bias: Tensor,
    penalty: float,
) -> None:  # fmt: skip
    solver = torch.optim.LBFGS((weight, bias), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        value = loss(features @ weight.T + bias, targets) + penalty / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(closure)  # type: ignore[no-untyped-call]
