"""Gradient clipping: by norm, by a percentile of past norms, by each unit's weights. For anyone's own loop.

All of them change `.grad` in place, between the backward pass and the optimiser's step; weights without a gradient are
passed over. None reads a number back from the device.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Clip(Protocol):
    """What a loop calls between the backward pass and the optimiser's step."""

    def __call__(self) -> None:
        """Change the gradients in place."""
        ...

    def state(self) -> dict[str, Tensor]:
        """What the next call depends on, by name; empty when it is nothing."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave earlier."""
        ...


def gradient_norm(weights: Iterable[nn.Parameter]) -> Tensor:
    """Euclidean norm of all gradients together, a tensor of one number."""
    return torch.nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])


def scale_to_norm_(weights: Sequence[nn.Parameter], norm: Tensor, most: float | Tensor) -> None:
    """Scale all gradients by `most / norm` where that is below 1; NaN and infinity are left for the loss to show."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if gradients:
        torch._foreach_mul_(gradients, torch.clamp(most / norm, max=1.0).to(gradients[0].dtype))


class NormClip:
    """Scale all gradients together to a norm of at most `most`.

    Hurts: a threshold that is met at every step is a lower learning rate in disguise; with Adam-like optimisers, which
    divide the scale out, it is hardly even that.
    Source: Pascanu et al. 2013, arXiv:1211.5063. Raises: ValueError when `most` is not above zero.
    """

    def __init__(self, weights: Iterable[nn.Parameter], most: float) -> None:
        if not most > 0:
            raise ValueError(f"`most > 0` must hold, but got {most=}.")
        self.weights, self.most = tuple(weights), most

    @torch.no_grad()
    def __call__(self) -> None:
        """Clip."""
        scale_to_norm_(self.weights, gradient_norm(self.weights), self.most)

    def state(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing."""


class PercentileClip:
    """Scale all gradients together to a percentile of the norms of the last `window` steps, this one among them.

    Norms that are no finite numbers are not remembered.
    Hurts: at the 10th percentile nine steps in ten are clipped, so the learning rate has to be found with it on.
    Source: Seetharaman et al. 2020, "AutoClip", arXiv:2007.14469 (there all past norms are remembered).
    Raises: ValueError when the percentile is outside (0, 100] or the window below 1.
    """

    def __init__(self, weights: Iterable[nn.Parameter], percentile: float = 10.0, window: int = 1_000) -> None:
        if not 0 < percentile <= 100 or window < 1:
            raise ValueError(f"`0 < percentile <= 100` and `window >= 1` must hold, but got {percentile=}, {window=}.")
        self.weights, self.percentile, self.window = tuple(weights), percentile, window
        device = self.weights[0].device if self.weights else None
        self.norms = torch.full((window,), float("nan"), device=device)
        self.taken = 0

    @torch.no_grad()
    def __call__(self) -> None:
        """Remember the norm, and clip."""
        norm = gradient_norm(self.weights).float()
        self.norms[self.taken % self.window] = torch.where(norm.isfinite(), norm, torch.nan)
        self.taken += 1
        seen = self.norms[: min(self.taken, self.window)]
        scale_to_norm_(self.weights, norm, torch.nanquantile(seen, self.percentile / 100))

    def state(self) -> dict[str, Tensor]:
        """The norms, and how many were taken."""
        return {"norms": self.norms, "taken": torch.tensor(self.taken)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave earlier."""
        self.norms.copy_(state["norms"])
        self.taken = int(state["taken"])


class UnitClip:
    """Scale each unit's gradient to at most `share` of the norm of that unit's weights.

    A unit is one output of a linear map or convolution, all of a bias or scale. The last linear map of a network is
    best left out.
    Hurts: behind norms, where the size of the weights means nothing; biases at zero move by `share * eps` at most.
    Source: Brock et al. 2021, arXiv:2102.06171, section 4. Raises: ValueError when share or eps is not above zero.
    """

    def __init__(self, weights: Iterable[nn.Parameter], share: float = 0.02, eps: float = 1e-3) -> None:
        if not (share > 0 and eps > 0):
            raise ValueError(f"`share > 0` and `eps > 0` must hold, but got {share=}, {eps=}.")
        self.weights, self.share, self.eps = tuple(weights), share, eps

    @torch.no_grad()
    def __call__(self) -> None:
        """Clip."""
        for weight in self.weights:
            if weight.grad is not None:
                most = self.share * unit_norms(weight).clamp(min=self.eps)
                weight.grad.mul_(torch.clamp(most / unit_norms(weight.grad).clamp(min=1e-6), max=1.0))

    def state(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing."""


def unit_norms(weight: Tensor) -> Tensor:
    """Euclidean norm of each unit's part of a weight, as (out, 1, ...), or () for vectors, so that it multiplies."""
    dims = tuple(range(1, weight.ndim)) if weight.ndim > 1 else None
    found: Tensor = torch.linalg.vector_norm(weight, dim=dims, keepdim=dims is not None)
    return found


def without_last_linear(module: nn.Module) -> tuple[nn.Parameter, ...]:
    """Every weight that learns, those of the last linear map apart."""
    linears = [part for part in module.modules() if isinstance(part, nn.Linear)]
    spared = {id(weight) for weight in linears[-1].parameters()} if linears else set()
    return tuple(weight for weight in module.parameters() if weight.requires_grad and id(weight) not in spared)
