"""3x3 convolutions with a quarter of the multiplications: Winograd's minimal filtering, F(4x4, 3x3).

Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.3: maps are cut into tiles of 4x4
outputs, each of which looks at 6x6 inputs; both sides are transformed along both axes, and in between stand 36 plain
matrix products over channels. The gradient of the weights takes the same path backwards. In single precision outputs
are four to eight times further from the truth than those of the direct sum, gradients of weights up to four times: some
1e-6 of their size, which is far below what a batch more or less changes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

TILE = 4
"""Outputs of a tile along an axis."""
SEEN = 6
"""Inputs that a tile looks at along an axis, and products that it takes."""
NUMBERS = 400_000
"""Of maps that are transformed at a time: what is made of them fits in caches."""
KERNEL = torch.tensor(
    [
        [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1],
    ]
)  # fmt: skip
"""How the taps of a kernel enter the products along one axis: (products, taps), G of the paper."""
KERNELS = torch.einsum("jx,iy->jiyx", KERNEL, KERNEL).reshape(SEEN**2, 9).contiguous()
"""The same along both: rows are products, by column and then by row of the tile; columns are taps, row by row."""

Transform = Callable[[Sequence[Tensor], Sequence[Tensor]], None]
"""From what lies along one axis of a tile, one tensor a place, into tensors that are there."""


class Winograd(torch.autograd.Function):
    """A convolution of a batch by 3x3 kernels with one zero around it, stride one; channels last in memory.

    Shapes: x (n, c, height, width), weight (k, c, 3, 3), to (n, k, height, width).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Convolve."""
        ctx.save_for_backward(x, weight)
        return convolve(x, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of the input and the weights, those that are wanted."""
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        wants_x, wants_weight = ctx.needs_input_grad
        # A gradient of this gradient is wanted, or that of several at once: PyTorch's knows its own.
        if torch.is_grad_enabled() or torch._C._functorch.is_legacy_batchedtensor(gradient):
            return _direct(gradient, x, weight, wants_x, wants_weight)
        with torch.autocast("cpu", enabled=False):
            return (
                convolve(gradient, weight.flip(2, 3).transpose(0, 1)) if wants_x else None,
                weight_gradient(x, gradient) if wants_weight else None,
            )


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve (n, c, height, width) by (k, c, 3, 3), one zero around the maps; channels last in memory."""
    k, c = weight.shape[:2]
    kernels = (KERNELS @ weight.permute(2, 3, 1, 0).reshape(9, c * k)).view(SEEN**2, c, k)
    count, _, height, width = x.shape
    high, wide = tiles(height), tiles(width)
    found = torch.empty(
        count, k, high * TILE, wide * TILE, dtype=x.dtype, device=x.device, memory_format=torch.channels_last
    )
    for part in _parts(count, height * width * max(c, k)):
        products = torch.bmm(_of_inputs(x[part]), kernels)
        _to_outputs(products, found[part].permute(0, 2, 3, 1))
    if found.shape[2:] == x.shape[2:]:
        return found  # and no view of it, which would not allow what follows to be done in place
    return found[:, :, :height, :width].contiguous(memory_format=torch.channels_last)


def weight_gradient(x: Tensor, gradient: Tensor) -> Tensor:
    """The gradient (k, c, 3, 3) of kernels from (n, c, height, width) and that of its outputs (n, k, height, width)."""
    count, c, height, width = x.shape
    k = gradient.shape[1]
    summed = x.new_zeros(SEEN**2, c, k)
    for part in _parts(count, height * width * max(c, k)):
        summed.baddbmm_(_of_inputs(x[part]).transpose(1, 2), _of_gradients(gradient[part]))
    return (KERNELS.T @ summed.view(SEEN**2, c * k)).view(3, 3, c, k).permute(3, 2, 0, 1)


def tiles(length: int) -> int:
    """How many tiles cover an axis."""
    return -(-length // TILE)


def _of_inputs(x: Tensor) -> Tensor:
    """Transformed inputs: (products, n * tiles, c)."""
    maps, high, wide = _last(x), tiles(x.shape[2]), tiles(x.shape[3])
    padded = F.pad(maps, (0, 0, 1, wide * TILE - x.shape[3] + 1, 1, high * TILE - x.shape[2] + 1))
    rows = padded.new_empty(SEEN, len(x), high, padded.shape[2], x.shape[1])
    _inputs([padded[:, place : place + TILE * high - 3 : TILE] for place in range(SEEN)], rows.unbind())
    both = rows.new_empty(SEEN, SEEN, len(x), high, wide, x.shape[1])
    _inputs([rows[:, :, :, place : place + TILE * wide - 3 : TILE] for place in range(SEEN)], both.unbind())
    return both.view(SEEN**2, -1, x.shape[1])


def _to_outputs(products: Tensor, found: Tensor) -> None:
    """From products (products, n * tiles, k) into whole tiles of outputs (n, height, width, k)."""
    count, height, width, k = found.shape
    high, wide = height // TILE, width // TILE
    along = products.new_empty(SEEN, count, high, wide, TILE, k)
    _outputs(products.view(SEEN, SEEN, count, high, wide, k).unbind(), along.unbind(4))
    _outputs(along.view(SEEN, count, high, width, k).unbind(), [found[:, place::TILE] for place in range(TILE)])


def _of_gradients(gradient: Tensor) -> Tensor:
    """Transformed gradients of outputs: (products, n * tiles, k)."""
    maps, high, wide = _last(gradient), tiles(gradient.shape[2]), tiles(gradient.shape[3])
    below, right = high * TILE - gradient.shape[2], wide * TILE - gradient.shape[3]
    if below or right:
        maps = F.pad(maps, (0, 0, 0, right, 0, below))
    rows = maps.new_empty(SEEN, len(maps), high, wide * TILE, maps.shape[3])
    _gradients([maps[:, place::TILE] for place in range(TILE)], rows.unbind())
    both = rows.new_empty(SEEN, SEEN, len(maps), high, wide, maps.shape[3])
    _gradients([rows[:, :, :, place::TILE] for place in range(TILE)], both.unbind())
    return both.view(SEEN**2, -1, maps.shape[3])


def _inputs(seen: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    """B^T of the paper along one axis."""
    even = torch.sub(seen[4], seen[2], alpha=4)
    odd = torch.sub(seen[3], seen[1], alpha=4)
    torch.add(even, odd, out=into[1])
    torch.sub(even, odd, out=into[2])
    torch.sub(seen[4], seen[2], out=even)
    torch.sub(seen[3], seen[1], out=odd)
    torch.add(even, odd, alpha=2, out=into[3])
    torch.sub(even, odd, alpha=2, out=into[4])
    torch.add(seen[4], seen[0], alpha=4, out=into[0]).sub_(seen[2], alpha=5)
    torch.add(seen[5], seen[1], alpha=4, out=into[5]).sub_(seen[3], alpha=5)


def _outputs(products: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    """A^T of the paper along one axis."""
    near, far = products[1] + products[2], products[3] + products[4]
    torch.add(products[0], near, out=into[0]).add_(far)
    torch.add(near, far, alpha=4, out=into[2])
    torch.sub(products[1], products[2], out=near)
    torch.sub(products[3], products[4], out=far)
    torch.add(near, far, alpha=2, out=into[1])
    torch.add(near, far, alpha=8, out=into[3]).add_(products[5])


def _gradients(outputs: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    """A of the paper along one axis."""
    even, odd = outputs[0] + outputs[2], outputs[1] + outputs[3]
    torch.add(even, odd, out=into[1])
    torch.sub(even, odd, out=into[2])
    torch.add(outputs[0], outputs[2], alpha=4, out=even)
    torch.add(outputs[1], outputs[3], alpha=4, out=odd)
    torch.add(even, odd, alpha=2, out=into[3])
    torch.sub(even, odd, alpha=2, out=into[4])
    into[0].copy_(outputs[0])
    into[5].copy_(outputs[3])


def _last(maps: Tensor) -> Tensor:
    """(n, height, width, c), in memory too."""
    return maps.permute(0, 2, 3, 1).contiguous()


def _parts(count: int, numbers: int) -> Iterator[slice]:
    """Of a batch whose maps hold so many numbers each."""
    step = max(1, min(count, NUMBERS // numbers))
    for begin in range(0, count, step):
        yield slice(begin, begin + step)


def _direct(
    gradient: Tensor, x: Tensor, weight: Tensor, wants_x: bool, wants_weight: bool
) -> tuple[Tensor | None, Tensor | None]:
    """PyTorch's gradients."""
    of_x, of_weight, _ = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, (wants_x, wants_weight, False)
    )
    return of_x, of_weight
