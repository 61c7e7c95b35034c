"""Noise, blur, brightness, contrast, low resolution and gamma of batches of any number of axes.

Each patch has draws of its own. Blur and low resolution are products with one matrix an axis: on patches of up to a few
hundred voxels a side that is quicker than a convolution with a kernel for each sample.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from fieldcraft.data.patches.changes import Look
from fieldcraft.data.sent import sent
from fieldcraft.records.streams import stream_seed

ORDER = ("noise", "blur", "brightness", "contrast", "low_resolution", "gamma")
"""In which changes follow each other; the place in it is that of their draws."""


def changed(images: Tensor, look: Look, spacing: Sequence[float], *, seed: int, name: str, step: int) -> Tensor:
    """Images with their intensities changed.

    Shape: float32 (n, c, *spatial) -> the same; what nothing was drawn for is the same to the bit. Draws come from the
    stream (seed, "augment", name/look, step), noise from (..., name/noise, step) on the device of the images.
    """
    if look.nothing:
        return images
    count, channels = images.shape[:2]
    generator = torch.Generator().manual_seed(stream_seed(seed, "augment", f"{name}/look", step))
    coins = torch.rand(len(ORDER), count, generator=generator) < look.share
    alike = torch.rand(len(ORDER), count, generator=generator)
    apart = torch.rand(len(ORDER), count, channels, generator=generator)
    sign = torch.rand(count, channels, generator=generator) < 0.5

    for place, change in enumerate(ORDER):
        most, some = float(getattr(look, change)), coins[place].nonzero()[:, 0]
        if not most or not len(some):
            continue
        each = sent(apart[place, some], images.device).view(len(some), channels, *(1,) * len(spacing))
        there = sent(some, images.device)
        now = images[there]
        if change == "noise":
            now = now + most * each * _noise(now, stream_seed(seed, "augment", f"{name}/noise", step))
        elif change == "blur":
            now = _filtered(now, [blurs(most * alike[place, some] * min(spacing) / own, side)
                                  for own, side in zip(spacing, now.shape[2:], strict=True)])  # fmt: skip
        elif change == "brightness":
            now = now + most * (2 * each - 1)
        elif change == "contrast":
            now = torch.lerp(_mean(now), now, 1 + most * (2 * each - 1))
        elif change == "low_resolution":
            coarse = (1 + most * alike[place, some]) * min(spacing)
            now = _filtered(now, [coarsenings((coarse / own).clamp(min=1), side)
                                  for own, side in zip(spacing, now.shape[2:], strict=True)])  # fmt: skip
        else:
            exponent = (1 + most) ** (2 * each - 1)
            negative = sent(sign[some], images.device).view_as(each)
            now = torch.where(negative, -with_gamma(-now, exponent), with_gamma(now, exponent))
        images = images.index_copy(0, there, now)
    return images


def with_gamma(images: Tensor, exponent: Tensor) -> Tensor:
    """Each channel's range raised to a power, with the mean and deviation that it had.

    Shape: float32 (n, c, *spatial), (n, c, 1, ...) above 0 -> the same. A channel of one value stays as it is.
    """
    over = tuple(range(2, images.ndim))
    low, high = images.amin(over, keepdim=True), images.amax(over, keepdim=True)
    span = (high - low).clamp(min=1e-7)
    raised = ((images - low) / span) ** exponent
    mean, deviation = _mean(raised), raised.std(over, keepdim=True, correction=0)
    before = images.std(over, keepdim=True, correction=0)
    return torch.where(high > low, (raised - mean) / deviation.clamp(min=1e-7) * before + _mean(images), images)


def blurs(deviation: Tensor, side: int) -> Tensor:
    """A Gaussian of each deviation (n,) in voxels, as matrices (n, side, side); weights at the border sum to 1."""
    far = torch.arange(side)[:, None] - torch.arange(side)
    kernel = torch.exp(-far.square() / (2 * deviation.clamp(min=1e-3).square()[:, None, None]))
    return kernel / kernel.sum(2, keepdim=True)


def coarsenings(factors: Tensor, side: int) -> Tensor:
    """Voxels averaged in cells that are larger by each factor (n,), then linear between their middles.

    Shape: matrices (n, side, side), rows sum to 1; a factor that leaves as many cells as voxels changes nothing.
    """
    return torch.stack([_coarsening(max(1, round(side / factor)), side) for factor in factors.tolist()])


def _coarsening(cells: int, side: int) -> Tensor:
    if cells == side:
        return torch.eye(side)
    edges = torch.arange(cells + 1) * (side / cells)
    voxels = torch.arange(side)
    inside = torch.minimum(edges[1:, None], voxels + 1.0) - torch.maximum(edges[:-1, None], voxels.float())
    down = inside.clamp(min=0) * (cells / side)
    at = ((voxels + 0.5) * (cells / side) - 0.5).clamp(0, cells - 1)
    up = (1 - (at[:, None] - torch.arange(cells)).abs()).clamp(min=0)
    return up @ down


def _filtered(images: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Each patch through its own matrix along each axis: (n, c, *spatial), (n, side, side) an axis."""
    for axis, own in enumerate(matrices, start=2):
        along = images.movedim(axis, -1)
        weights = sent(own, images.device).mT.view(len(own), *(1,) * (images.ndim - 3), *own.shape[1:])
        images = torch.matmul(along, weights).movedim(-1, axis)
    return images.contiguous()


def _mean(images: Tensor) -> Tensor:
    return images.mean(tuple(range(2, images.ndim)), keepdim=True)


def _noise(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator(like.device).manual_seed(seed)
    return torch.randn(like.shape, generator=generator, device=like.device)
