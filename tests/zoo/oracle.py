"""The truth about a receptive field, by gradients: which pixels can move a unit at all.

The net is copied, its weights are made positive, and what is not linear is replaced by something positive and linear
with the same dependencies (`tests.zoo.linear`); so the gradient of a unit is a sum of positive numbers, non-zero where
a path exists and zero elsewhere. Everything is in float64.

Axes are counted without batch and channels: axis 0 of a (3, h, w) input is h. One axis at a time; the others may be as
short as the net allows (`tests.zoo.slim.NETS[name].narrow`; 32 px for most, 67 for AlexNet, 75 for the Inceptions with
VALID stems, twice the window of a Swin).

What it cannot see: branches that depend on values are followed as they happen to fall for an input filled with `fill`,
and so is `torch.where` (keep `fill` positive where scores are masked); what is `local` is a convention: norms over the
map are the identity, gates of one pixel are left out.

Source: Luo et al. 2016, arXiv:1701.04128 (gradients as receptive fields); the trick with positive weights is folklore.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from tests.zoo.linear import Linearised
from torch import Tensor, nn

Shape = Sequence[int]
"""Of one input, without the batch."""

RELATIVE = 1e-200
"""Gradients below this share of the largest are zero; edges of deep nets are as faint as 1e-80."""
DOUBTFUL = 1e-230
"""Between this and RELATIVE nobody knows."""


class Measured(NamedTuple):
    """The field of an interior unit, in the convention of Araujo et al.: unit i starts at i * stride - padding."""

    rf: int
    stride: int
    padding: int


def positive_copy(net: nn.Module) -> nn.Module:
    """A float64 copy in eval mode: weights near 1 / fan-in, with jitter; biases zero; gains one."""
    generator = torch.Generator().manual_seed(0)
    twin = copy.deepcopy(net).double().eval()
    if any(parameter.is_meta for parameter in twin.parameters()):
        twin = twin.to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            parameter.requires_grad_(False)
            if parameter.dim() > 1:
                fan_in = max(1, parameter.numel() // parameter.shape[0])
                jitter = torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.copy_((1 + 0.1 * jitter) / fan_in)
            else:
                parameter.fill_(0.0 if "bias" in name.rsplit(".", 1)[-1] else 1.0)
    return twin


@contextmanager
def double_by_default() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def shapes_of(shape: Shape | Sequence[Shape]) -> list[tuple[int, ...]]:
    """One shape, or one for each input."""
    if all(isinstance(side, int) for side in shape):
        return [tuple(shape)]  # type: ignore[arg-type]
    return [tuple(one) for one in shape]  # type: ignore[union-attr]


def first_tensor(output: Any) -> Tensor:
    """The first tensor in a nest of tuples, lists and dicts."""
    while not isinstance(output, Tensor):
        output = next(iter(output.values() if hasattr(output, "values") else output))
    return output


def forward_linear(
    net: nn.Module,
    shape: Shape | Sequence[Shape],
    *,
    at: str = "",
    local: bool = True,
    pick: Callable[[Any], Tensor] = first_tensor,
    fill: float = 1.0,
) -> tuple[list[Tensor], Tensor]:
    """Inputs, and the output of the net (or the last output of submodule `at`), linked by a positive linear map."""
    twin = positive_copy(net)
    inputs = [torch.full((1, *one), fill, dtype=torch.float64, requires_grad=True) for one in shapes_of(shape)]
    seen: list[Any] = []
    hook = twin.get_submodule(at).register_forward_hook(lambda module, args, output: seen.append(output))
    with double_by_default(), torch.enable_grad(), Linearised(local=local):
        twin(*(one.clone() for one in inputs))
    hook.remove()
    if not seen:
        raise ValueError(f"submodule {at!r} was never called.")
    return inputs, pick(seen[-1])


def profile(source: Tensor, output: Tensor, axis: int, index: int, out_dim: int) -> Tensor:
    """Influence of each pixel along the axis on all units with this index, whatever their channel and other places."""
    unit = output.select(out_dim, index).sum()
    if not unit.requires_grad:
        return torch.zeros(source.shape[axis + 2], dtype=torch.float64)
    (gradient,) = torch.autograd.grad(unit, source, retain_graph=True, allow_unused=True)
    if gradient is None:
        return torch.zeros(source.shape[axis + 2], dtype=torch.float64)
    if not torch.isfinite(gradient).all():
        raise ArithmeticError("the gradient is not finite: something in the net has no positive linear stand-in.")
    return gradient.abs().movedim(axis + 2, 0).flatten(1).sum(1)


def hull(influence: Tensor) -> tuple[int, int] | None:
    """First and last pixel with an influence, or None without any."""
    share = influence / influence.max().clamp_min(torch.finfo(torch.float64).tiny)
    if bool(((share > DOUBTFUL) & (share < RELATIVE)).any()):
        raise ArithmeticError("some influence is neither zero nor clearly more: the net is too deep for float64.")
    places = torch.nonzero(share > RELATIVE).flatten().tolist()
    return (places[0], places[-1]) if places else None


def influences(
    net: nn.Module,
    shape: Shape | Sequence[Shape],
    axis: int,
    indices: Sequence[int],
    *,
    at: str = "",
    local: bool = True,
    source: int = 0,
    out_dim: int | None = None,
    pick: Callable[[Any], Tensor] = first_tensor,
    fill: float = 1.0,
) -> list[Tensor]:
    """The influence of each pixel along an axis of input `source`, for several output units; holes show as zeros."""
    inputs, output = forward_linear(net, shape, at=at, local=local, pick=pick, fill=fill)
    dim = axis + 2 if out_dim is None else out_dim
    return [profile(inputs[source], output, axis, index, dim) for index in indices]


def supports(
    net: nn.Module,
    shape: Shape | Sequence[Shape],
    axis: int,
    indices: Sequence[int],
    *,
    at: str = "",
    local: bool = True,
    source: int = 0,
    out_dim: int | None = None,
    pick: Callable[[Any], Tensor] = first_tensor,
    fill: float = 1.0,
) -> list[tuple[int, int] | None]:
    """As `support`, for several units of one forward pass.

    Args: `shape` of the input without the batch, or one for each input; `axis` without batch and channels; `indices`
    along `out_dim` of the output (default: the dimension of the axis; negative ones count from the end); `at` the path
    of a submodule whose (last) output is looked at; `local` leaves norms over the map and gates out; `source` which
    input; `pick` takes the tensor out of a nested output; `fill` the value of all inputs, for control flow.
    """
    rows = influences(
        net, shape, axis, indices, at=at, local=local, source=source, out_dim=out_dim, pick=pick, fill=fill
    )
    return [hull(row) for row in rows]


def support(
    net: nn.Module,
    shape: Shape | Sequence[Shape],
    axis: int,
    output_index: int,
    *,
    at: str = "",
    local: bool = True,
    source: int = 0,
    out_dim: int | None = None,
    pick: Callable[[Any], Tensor] = first_tensor,
    fill: float = 1.0,
) -> tuple[int, int] | None:
    """First and last pixel along an input axis that can move the output units with this index; None without any."""
    indices = [output_index]
    return supports(
        net, shape, axis, indices, at=at, local=local, source=source, out_dim=out_dim, pick=pick, fill=fill
    )[0]


def measured(
    net: nn.Module, shape: Shape, axis: int, *, at: Sequence[str] = ("",), local: bool = True
) -> dict[str, Measured]:
    """Field, stride and padding at submodules, from two neighbouring units in the middle of a long axis.

    Raises: ValueError if the border cuts the field of one of them.
    """
    twin = positive_copy(net)
    source = torch.ones((1, *shape), dtype=torch.float64, requires_grad=True)
    seen: dict[str, Tensor] = {}
    hooks = [
        twin.get_submodule(path).register_forward_hook(
            lambda module, args, output, path=path: seen.__setitem__(path, first_tensor(output))
        )
        for path in at
    ]
    with double_by_default(), torch.enable_grad(), Linearised(local=local):
        twin(source.clone())
    for hook in hooks:
        hook.remove()
    return {path: _measured_at(source, seen[path], axis, path) for path in at}


def _measured_at(source: Tensor, output: Tensor, axis: int, path: str) -> Measured:
    middle = output.shape[axis + 2] // 2
    rows = [hull(profile(source, output, axis, index, axis + 2)) for index in (middle, middle + 1)]
    if rows[0] is None or rows[1] is None or rows[0][0] == 0 or rows[1][1] == source.shape[axis + 2] - 1:
        raise ValueError(f"the axis is too short to see the whole field at {path!r}: {rows=}, {tuple(source.shape)=}.")
    (first, last), (second, _) = rows[0], rows[1]
    return Measured(last - first + 1, second - first, middle * (second - first) - first)
