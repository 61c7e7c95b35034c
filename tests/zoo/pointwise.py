"""Positive linear stand-ins for elementwise functions, products, reductions and norms."""

from collections.abc import Callable
from typing import Any

import torch
from tests.zoo.call import HIDDEN, MASKED, NOTHING, Call, Handler, active, positive
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten


def identity(call: Call) -> Any:
    x = call.get(0, "input")
    if not active(x):
        return call.original()
    return x if call.inplace else x.clone()


def total(call: Call) -> Any:
    """The sum of both operands, for differences, maxima and powers of two activations."""
    a, b = call.args[0], call.get(1, "other")
    if not active(a) and not active(b):
        return call.original()
    if active(a) and active(b):
        return a.add_(b) if call.inplace else a + b
    if call.name == "sub" and active(a):
        return call.original()
    lively, other = (a, b) if active(a) else (b, a)
    if call.inplace:
        return lively
    return lively + torch.zeros_like(other) if isinstance(other, Tensor) else lively.clone()


def is_gate(small: Tensor, large: Tensor) -> bool:
    """Is one spread over the map of the other? A map may have its channels in two dimensions (split attention), and in
    three dimensions its places in the middle, as tokens have them.
    """
    if small.dim() != large.dim() or small.dim() < 3:
        return False
    first = 3 if small.dim() == 5 and small.shape[:3] == large.shape[:3] else 2
    layouts = [range(first, small.dim()), *([range(1, 2)] if small.dim() == 3 else [])]
    return any(_is_spread(small, large, places) for places in layouts)


def _is_spread(small: Tensor, large: Tensor, places: range) -> bool:
    spread = all(small.shape[dim] == 1 or small.stride(dim) == 0 for dim in places)
    return spread and any(large.shape[dim] > 1 and large.stride(dim) > 0 for dim in places)


def product(call: Call) -> Any:
    """Of two activations their sum; locally a gate that saw the whole map is left out."""
    a, b = call.args[0], call.get(1, "other")
    if active(a) and active(b):
        if call.local and is_gate(b, a):
            return a if call.inplace else a.clone()
        if call.local and is_gate(a, b):
            return b.clone()
        return a.add_(b) if call.inplace else a + b
    if not active(a) and not active(b):
        return call.original()
    if active(a):
        return a.mul_(positive(b)) if call.inplace else a * positive(b)
    return b * positive(a)


def quotient(call: Call) -> Any:
    """Divisors that are constant keep their size."""
    a, b = call.args[0], call.get(1, "other")
    if active(b) or not active(a):
        return product(call)
    if isinstance(b, Tensor):
        b = torch.where(b == 0, torch.ones_like(b), b.abs())
    return a.div_(positive(b)) if call.inplace else a / positive(b)


def plus_product(call: Call) -> Any:
    """addcmul and addcdiv: the first operand and the stand-in for the product of the other two."""
    first, a, b = call.args[0], call.get(1, "tensor1"), call.get(2, "tensor2")
    if not any(active(one) for one in (first, a, b)):
        return call.original()
    second = product(Call(torch.mul, (a, b), {}, local=call.local)) if active(a) or active(b) else torch.zeros_like(a)
    return first.add_(second) if call.inplace else first + second


def cast(call: Call) -> Any:
    """Precision stays double."""
    result = call.original()
    return result.double() if active(call.args[0]) and result.is_floating_point() else result


def embedding(call: Call) -> Any:
    """A token that depends on the input is a number, repeated over the features."""
    tokens, weight = call.get(0, "input"), call.get(1, "weight")
    if not active(tokens):
        return call.original()
    return tokens.unsqueeze(-1).expand(*tokens.shape, weight.shape[-1]).clone()


def halves(call: Call) -> Any:
    """A gated linear unit."""
    x = call.args[0]
    if not active(x):
        return call.original()
    first, second = x.chunk(2, call.get(1, "dim", -1))
    return first + second


def bilinear(call: Call) -> Any:
    """Of two activations the sum of both ways, the other one set to a constant; constants lose their sign."""
    leaves, spec = tree_flatten((call.args, call.kwargs))
    places = [index for index, leaf in enumerate(leaves) if active(leaf)]
    if not places:
        return call.original()
    results = []
    for place in places:
        mine = [leaf if index == place else constant(leaf) for index, leaf in enumerate(leaves)]
        args, kwargs = tree_unflatten(mine, spec)
        results.append(call.function(*args, **kwargs))
    return sum(results[1:], results[0])


def constant(value: Any) -> Any:
    """What stands for an operand while the gradient goes through another one; zeros of the structure stay."""
    if not active(value):
        return positive(value) if isinstance(value, Tensor) else value
    value = value.detach()
    return torch.where(value.abs() > NOTHING, 1.0 / max(1, value.shape[-1]), 0.0)


def addition(call: Call) -> Any:
    """As it is, but masks become minus infinity, so that no score can outweigh them."""
    a, b = call.args[0], call.get(1, "other")
    if active(a) == active(b) or not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        return call.original()
    lively, other = (a, b) if active(a) else (b, a)
    if not other.is_floating_point() or other.numel() == 0 or not (other.min() < MASKED and other.max() == 0):
        return call.original()
    other = torch.where(other < MASKED, -torch.inf, 0.0)
    return lively.add_(other) if call.inplace else lively + other


# ---------------------------------------------------------------- reductions and norms


def reduced_dims(call: Call, position: int) -> tuple[int, ...]:
    """The dimensions that a reduction takes away; all of them where none are named."""
    x = call.args[0]
    dim = call.get(position, "dim", call.kwargs.get("axis"))
    if dim is None or isinstance(dim, bool) or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(x.dim()))
    return tuple(d % x.dim() for d in ((dim,) if isinstance(dim, int) else dim))


def average(position: int) -> Handler:
    """The mean over the dimensions of a reduction, whose `dim` is at `position`."""

    def handler(call: Call) -> Any:
        if not active(call.args[0]):
            return call.original()
        shape = call.shape_of_original()
        mean = call.args[0].mean(reduced_dims(call, position))
        if isinstance(shape, tuple):
            return type(shape)(mean.reshape(part.shape) for part in shape)
        return mean.reshape(shape.shape)

    return handler


def extremum(call: Call) -> Any:
    """max and min: of all, of two, or over a dimension (with indices)."""
    x, second = call.args[0], call.get(1, "dim", call.kwargs.get("other"))
    if isinstance(second, Tensor):
        return total(call)
    if not active(x):
        return call.original()
    original = call.shape_of_original()
    if second is None:
        return x.mean().reshape(original.shape)
    values = x.mean(second).reshape(original.values.shape)
    return type(original)((values, original.indices))


def softmax(call: Call) -> Any:
    """Itself and the mean over the dimension, of what is not masked."""
    x = call.args[0]
    if not active(x):
        return call.original()
    dim = call.get(1, "dim", -1)
    dim = -1 if dim is None else dim
    allowed = x.detach() > HIDDEN
    y = torch.where(allowed, x, 0.0)
    return torch.where(allowed, y + y.mean(dim, keepdim=True), 0.0)


def norm(dims: Callable[[Call, Tensor], Tensor]) -> Handler:
    """Identity for the local field; with the mean over what is normalised for the full one."""

    def handler(call: Call) -> Any:
        x = call.args[0]
        if not active(x):
            return call.original()
        return x.clone() if call.local else x + dims(call, x)

    return handler


def layer_mean(call: Call, x: Tensor) -> Tensor:
    shape = call.get(1, "normalized_shape")
    return x.mean(tuple(range(-len(shape), 0)), keepdim=True)


def group_mean(call: Call, x: Tensor) -> Tensor:
    groups = call.get(1, "num_groups")
    means = x.reshape(x.shape[0], groups, -1).mean(-1)
    each = means.repeat_interleave(x.shape[1] // groups, dim=1)
    return each.reshape(*each.shape, *[1] * (x.dim() - 2))


def instance_mean(call: Call, x: Tensor) -> Tensor:
    return x.mean(tuple(range(2, x.dim())), keepdim=True)
