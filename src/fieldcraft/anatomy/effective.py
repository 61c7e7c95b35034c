"""The effective receptive field: how much each pixel moves the middle unit, by gradients.

Within its theoretical field a unit listens to the middle most; with random weights the influence is close to a Gaussian
whose width grows with the root of the depth.

Source: Luo, Li, Urtasun and Zemel 2016, arXiv:1701.04128.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fieldcraft.anatomy.fields import fields_of
from fieldcraft.anatomy.inputs import Input, make_tensors
from fieldcraft.anatomy.meta_copy import real_copy
from fieldcraft.anatomy.random_state import random_as_before
from fieldcraft.anatomy.trace import default_dtype, trace
from fieldcraft.errors import InspectError

DEVIATIONS = 2.0
"""A Gaussian is said to reach this many deviations to each side (95 % of it along one axis)."""


@dataclass(frozen=True, kw_only=True)
class EffectiveField:
    """What reaches the middle unit of a layer."""

    path: str
    """Of the submodule whose output was looked at; "" is the whole module."""
    heat: npt.NDArray[np.float64]
    """Mean absolute gradient over samples and channels, over the spatial axes of the input; the sum is 1."""
    width_px: tuple[float, ...]
    """Deviation of the heat along each axis: that of the Gaussian with the same moments."""
    share: float
    """Two deviations to each side, as a part of the theoretical field (both inside of the input), in area."""
    theoretical_px: tuple[int, ...]
    """Along each axis, as far as it lies inside of the input."""
    samples: int
    """Inputs that were averaged over."""
    made_up: bool
    """The module came without values, and small random ones stood in for them."""


def effective_field(
    module: nn.Module,
    inputs: Sequence[Input | Tensor],
    path: str = "",
    *,
    samples: int = 16,
    images: Tensor | None = None,
    seed: int = 0,
) -> EffectiveField:
    """Average the gradient of the middle unit of submodule `path` over random inputs, or over `images`.

    The unit's channels are added up with random weights, new for every sample, so that they do not cancel. `images` are
    what goes into the (first) input, with their batch; as many samples as there are images. In evaluation mode, on a
    copy.
    Raises: InspectError when there is no such submodule, when its output or the input has no gradient, or when the
    input has no spatial axes.
    """
    copy = real_copy(module).eval()
    names = [name for name, _ in copy.named_modules()]
    if path not in names:
        near = get_close_matches(path, names, n=3, cutoff=0.4)
        raise InspectError(f"there is no submodule {path}" + (f"; nearest: {', '.join(near)}." if near else "."))
    generator = torch.Generator().manual_seed(seed)
    heats = []
    with random_as_before():
        for sample in range(samples if images is None else len(images)):
            positional, named = make_tensors(inputs, batch=1, device="cpu", default=default_dtype(module))
            first, *others = (*positional, *named.values())
            source = torch.randn(first.shape, generator=generator) if images is None else images[sample : sample + 1]
            source = source.to(first.dtype).requires_grad_(_has_axes(first, path))
            args = (source, *others[: len(positional) - 1]) if positional else ()
            kwargs = named if positional else {next(iter(named)): source, **dict(list(named.items())[1:])}
            heats.append(_influence(copy, path, source, args, kwargs, generator))
    heat = torch.stack(heats).mean(0)
    if not bool(heat.sum() > 0):
        raise InspectError(f"nothing of the input reaches {path or 'the output'} with these weights: no gradient came.")
    heat = heat / heat.sum()
    limits = _theoretical(module, inputs, path, tuple(heat.shape))
    widths = tuple(_deviation(heat, axis) for axis in range(heat.dim()))
    reach = [min(2 * DEVIATIONS * width, limit) / limit for width, limit in zip(widths, limits, strict=True)]
    return EffectiveField(
        path=path,
        heat=heat.numpy(),
        width_px=widths,
        share=math.prod(reach),
        theoretical_px=limits,
        samples=len(heats),
        made_up=any(one.is_meta for one in module.parameters()),
    )


def _has_axes(tensor: Tensor, path: str) -> bool:
    if not tensor.is_floating_point() or tensor.dim() < 3:
        raise InspectError(
            "an effective field needs an input of real numbers with spatial axes, (channels, ...), to see what reaches "
            f"{path or 'the output'} from where; got {tuple(tensor.shape[1:])} of {tensor.dtype}."
        )
    return True


def _influence(
    copy: nn.Module,
    path: str,
    source: Tensor,
    args: tuple[Tensor, ...],
    kwargs: dict[str, Tensor],
    generator: torch.Generator,
) -> Tensor:
    """Mean absolute gradient over channels of the middle unit, (spatial axes of the input)."""
    seen: list[Tensor] = []
    handle = copy.get_submodule(path).register_forward_hook(
        lambda one, given, result: seen.append(_first(result, path))
    )
    try:
        copy(*args, **kwargs)
    finally:
        handle.remove()
    if not seen:
        raise InspectError(f"{path} takes no part in the forward pass.")
    unit = seen[-1]
    for dim in range(unit.dim() - 1, 1, -1):
        unit = unit.select(dim, unit.shape[dim] // 2)
    if not unit.requires_grad:
        raise InspectError(f"{path or 'the output'} has no gradient: it does not depend on the input by real numbers.")
    weights = torch.randn(unit.shape, generator=generator).to(unit.dtype)
    (gradient,) = torch.autograd.grad((unit * weights).sum(), source, allow_unused=True)
    found = torch.zeros_like(source) if gradient is None else gradient
    return found.detach().abs().double().mean(dim=(0, 1))


def _first(result: Any, path: str) -> Tensor:
    while not isinstance(result, Tensor):
        parts = (
            list(result.values())
            if hasattr(result, "values")
            else list(result)
            if isinstance(result, tuple | list)
            else []
        )
        if not parts:
            raise InspectError(
                f"{path or 'the module'} must give tensors to look at, but gave {type(result).__name__}."
            )
        result = parts[0]
    return result


def _deviation(heat: Tensor, axis: int) -> float:
    others = tuple(one for one in range(heat.dim()) if one != axis)
    line = heat.sum(dim=others) if others else heat
    places = torch.arange(len(line), dtype=torch.float64)
    middle = (line * places).sum()
    return float(((line * (places - middle) ** 2).sum()).sqrt())


def _theoretical(
    module: nn.Module, inputs: Sequence[Input | Tensor], path: str, lengths: tuple[int, ...]
) -> tuple[int, ...]:
    """Of the last operation inside of the submodule; the whole input where no field was worked out."""
    traced = trace(module, inputs)
    rows = [
        fields[0]
        for event, fields in zip(traced.capture.events, fields_of(traced), strict=True)
        if fields and (not path or event.module == path or event.module.startswith(f"{path}."))
    ]
    if not rows or len(rows[-1].axes) != len(lengths):
        return lengths
    return tuple(min(axis.size, length) for axis, length in zip(rows[-1].axes, lengths, strict=True))
