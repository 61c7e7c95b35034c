"""Blur before subsampling: strided max-pooling becomes max-pooling at stride 1 and a blur with the stride.

What it does: the maximum is taken at every position, then smoothed by a fixed binomial filter of 2 stride - 1 taps
while it is subsampled, so that high frequencies do not fold back.
Unsafe: the function changes; the size of the map does not. Constant maps stay as they are. Borders are repeated, not
reflected as in the paper, so that maps of one pixel work.
Left alone: functional pools (F.max_pool2d: no module to replace), dilated pools, and ceil mode where it adds a window.
Weights: none are learned; the filter is a buffer.
Cost: stride^axes times the comparisons, and one depthwise filter.
Source: Zhang 2019, arXiv:1904.11486, section 3.2.
"""

from math import comb, prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import is_plain, put
from fieldcraft.records.anatomy import Anatomy

POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


class BlurPool(nn.Module):
    """Smooth with a binomial filter, then keep every `stride`-th value. Shape: (n, c, *m) -> (n, c, *m / stride)."""

    kernel: Tensor

    def __init__(self, stride: tuple[int, ...]) -> None:
        super().__init__()
        self.stride = stride
        kernel = torch.ones(())
        for step in stride:
            taps = torch.tensor([float(comb(2 * step - 2, tap)) for tap in range(2 * step - 1)])
            kernel = kernel[..., None] * taps / taps.sum()
        self.register_buffer("kernel", kernel[None, None], persistent=False)
        self._margin = [step - 1 for step in reversed(stride) for _ in range(2)]

    def forward(self, x: Tensor) -> Tensor:
        """Blur and subsample."""
        channels, axes = x.shape[1], len(self.stride)
        padded = F.pad(x, self._margin, mode="replicate")
        kernel = self.kernel.to(x.dtype).expand(channels, *self.kernel.shape[1:])
        convolve = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
        return convolve(padded, kernel, stride=self.stride, groups=channels)


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Replace every strided max-pooling module."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, pool in list(module.named_modules()):
        if not is_plain(pool, POOLS) or not options.wanted(path) or path not in flow.rows:
            continue
        axes = POOLS.index(next(kind for kind in POOLS if isinstance(pool, kind))) + 1
        stride, kernel = _spread(pool.stride, axes), _spread(pool.kernel_size, axes)
        padding, dilation = _spread(pool.padding, axes), _spread(pool.dilation, axes)
        if max(stride) == 1:
            continue
        if max(dilation) > 1 or pool.return_indices or _ceil_counts(flow, path, kernel, stride, padding):
            left.append(Change(path=path, what="dilated, gives indices, or ceil mode adds a window"))
            continue
        kind = type(pool)
        put(module, path, nn.Sequential(kind(kernel, stride=1, padding=padding), BlurPool(stride)))
        changes.append(Change(path=path, what=f"blurred with {prod(2 * step - 1 for step in stride)} taps"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _ceil_counts(
    flow: Flow, path: str, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...]
) -> bool:
    row = flow.entry(path)
    before = flow.anatomy.shape(row.inputs[0])[-len(kernel) :]
    after = flow.anatomy.shape(row.outputs[0])[-len(kernel) :]
    floors = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(before, padding, kernel, stride, strict=True)]
    return tuple(floors) != after


def _spread(given: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    return (given,) * axes if isinstance(given, int) else tuple(given)


REWRITE = Rewrite(
    name="blur-pool",
    codes=("FC021",),
    safe=False,
    training_too=False,
    looks_for="a max-pooling module with a stride above 1",
    apply=apply,
)
