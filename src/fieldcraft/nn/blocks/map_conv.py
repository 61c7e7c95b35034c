"""Convolution of pictures that learns fast on small machines, too."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.blocks.winograd import TILE, Winograd, tiles

ROW = 64
"""Positions along a line of a packed map, about: enough to fill a matrix tile several times."""
WIDEST = 8
"""Positions along a line of maps that are packed; longer ones gain nothing."""
LEAST_TOGETHER = 4
LEAST_CHANNELS = 48
"""In and out; fewer take little time either way."""

LEAST_TILES = 128
"""In a batch: transformed kernels are read once for all of them."""
LEAST_COVERED = 0.85
"""Of the tiles by the maps."""
LEAST_WORK = 50.0
"""By traffic (`Conv2d._work_by_traffic`): from where tiles pay also while neighbours take much of the memory's pace."""


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`; trains faster on CPUs where oneDNN leaves units empty or multiplies more than it has to.

    **Matrix tiles (AMX), bf16:** oneDNN fills them along one line of one map, so that lines of four or eight positions
    leave most of them empty. Here maps stand side by side, zeros between them, while the weights' gradient is summed;
    it is the same to rounding. A whole training step of one convolution of 4x4 maps is 1.7 to 1.9 times as fast, of 8x8
    maps 1.1 to 1.6 times (benchmarks/map_conv.py).

    **AVX2, single precision, channels last:** 3x3 kernels with many channels go through Winograd's minimal filtering,
    the same to rounding (`winograd.py`). Steps of one convolution were 1.04 to 1.4 times as fast
    (benchmarks/map_conv.py).

    Everything else, other devices, precisions and paddings, transforms of functions, tracing, compilation and export
    are as they are there; only forward-mode differentiation of such a step is not to be had. Arguments and shapes are
    those of `torch.nn.Conv2d`.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if _in_training(input, weight):
            if self._packs and self._small(input) and _in_tiles_of_bf16():
                return self._packed(input, weight, bias)
            if self._padded_by_one and self._pays_in_tiles(input) and _single_on_avx2(input, weight):
                found = cast(Tensor, Winograd.apply(input, weight))
                return found if bias is None else found + bias[:, None, None]
        plain: Tensor = super()._conv_forward(input, weight, bias)
        return plain

    def _packed(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        half = torch.bfloat16
        found = cast(Tensor, _Packed.apply(x.to(half), weight.to(half), self.stride, self.padding))
        return found if bias is None else found + bias.to(half)[:, None, None]

    def _small(self, x: Tensor) -> bool:
        """Whether lines of what comes out are short, and enough of them can stand side by side."""
        width = -(-x.shape[-1] // self.stride[1])
        return width <= WIDEST and _together(len(x), width) >= LEAST_TOGETHER

    @property
    def _packs(self) -> bool:
        """Whether packed maps have their outputs where those of single maps would be."""
        return (
            self._whole
            and self.kernel_size[0] % 2 == self.kernel_size[1] % 2 == 1
            and self.kernel_size[1] > 1
            and self.padding == (self.kernel_size[0] // 2, self.kernel_size[1] // 2)
            and min(self.in_channels, self.out_channels) >= LEAST_CHANNELS
        )

    @property
    def _whole(self) -> bool:
        """Whether every channel sees every other one, kernels have no holes, and zeros surround the maps."""
        return self.padding_mode == "zeros" and self.groups == 1 and self.dilation == (1, 1)

    @property
    def _padded_by_one(self) -> bool:
        """Whether this is what `winograd.py` takes."""
        return self._whole and self.kernel_size == (3, 3) and self.stride == self.padding == (1, 1)

    def _work_by_traffic(self, x: Tensor) -> float:
        """Multiplications by numbers read and written, zeros around the maps too; up to a constant."""
        height, width = x.shape[2:]
        channels = self.in_channels * self.out_channels / (self.in_channels + self.out_channels)
        return channels * height * width / ((height + 2) * (width + 2))

    def _pays_in_tiles(self, x: Tensor) -> bool:
        """Whether channels are many, and tiles many and full enough."""
        high, wide = tiles(x.shape[2]), tiles(x.shape[3])
        return (
            self._work_by_traffic(x) >= LEAST_WORK
            and len(x) * high * wide >= LEAST_TILES
            and x.shape[2] * x.shape[3] >= LEAST_COVERED * high * wide * TILE**2
        )


class _Packed(torch.autograd.Function):
    """A convolution whose weight gradient is taken over maps side by side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        wants_x, wants_weight = ctx.needs_input_grad[:2]
        of_x = _gradient(gradient, x, weight, ctx, 0) if wants_x else None
        of_weight = None
        if wants_weight:
            together = _together(len(x), gradient.shape[3])
            step = ctx.stride[1]
            outputs = -(-(x.shape[3] + ctx.padding[1]) // step)  # of one map and the zeros behind it
            packed = side_by_side(x, together, outputs * step), side_by_side(gradient, together, outputs)
            of_weight = _gradient(packed[1], packed[0], weight, ctx, 1)
        return of_x, of_weight, None, None


def side_by_side(maps: Tensor, together: int, width: int) -> Tensor:
    """Maps in rows of `together`, each with zeros behind it to `width`; channels last in memory.

    Shape: (n, c, h, w) -> (n / together, c, h, together * width).
    """
    count, channels, height, own = maps.shape
    rows = maps.permute(0, 2, 3, 1).reshape(count // together, together, height, own, channels).transpose(1, 2)
    return F.pad(rows, (0, 0, 0, width - own)).reshape(-1, height, together * width, channels).permute(0, 3, 1, 2)


def _gradient(gradient: Tensor, x: Tensor, weight: Tensor, ctx: Any, place: int) -> Tensor:
    """Of the input (place 0) or the weights (1)."""
    wanted = [place == 0, place == 1, False]
    found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, ctx.stride, ctx.padding, (1, 1), False, (0, 0), 1, wanted
    )
    return found[place]


def _together(count: int, width: int) -> int:
    """How many maps stand side by side: the largest part of the batch that makes up about a row."""
    most = max(1, ROW // width)
    return max(one for one in range(1, most + 1) if count % one == 0)


@cache
def _has_tiles() -> bool:
    """False where PyTorch is too old to be asked."""
    ask: Callable[[], Mapping[str, object]] = getattr(torch.cpu, "get_capabilities", dict)
    return bool(ask().get("amx_bf16"))


def _in_training(x: Tensor, weight: Tensor) -> bool:
    """Whether a plain batch passes on a CPU, for a gradient of the weights, and nothing looks at the operations."""
    return (
        not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        and not torch._C._are_functorch_transforms_active()
        and type(x) is Tensor
        and x.ndim == 4
        and x.dtype in (torch.float32, torch.bfloat16)
        and x.device.type == "cpu"
        and torch.is_grad_enabled()
        and weight.requires_grad
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    )


def _in_tiles_of_bf16() -> bool:
    """Whether what is convolved goes through matrix tiles."""
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16 and _has_tiles()


def _single_on_avx2(x: Tensor, weight: Tensor) -> bool:
    """Whether maps with channels last pass in single precision on a processor for which tiles were measured to pay."""
    return (
        x.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and x.is_contiguous(memory_format=torch.channels_last)
        and _widest_is_avx2()
    )


@cache
def _widest_is_avx2() -> bool:
    """With wider registers direct sums are twice as fast, and transforms, which wait for memory, are not."""
    return torch.backends.cpu.get_cpu_capability() == "AVX2"
