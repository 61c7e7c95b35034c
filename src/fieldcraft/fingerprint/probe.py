"""A cheap look at images: whitened random patches as filters, rectified and pooled on a grid; nothing is trained.

Helps: in closed form, on one core, it tells what labels depend on, long before a network could be trained.
Hurts: it knows only edges, colours and where they are; what takes parts of parts to see, it does not see.
Source: Coates, Lee & Ng 2011, AISTATS, "An analysis of single-layer networks in unsupervised feature learning"
(whitening, patches of the data as filters, soft threshold of both signs, pooling).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from fieldcraft.records.streams import stream_seed

SIDE = 16
"""The shorter side that larger images are brought to, in pixels; smaller ones stay as they are."""
PATCH = 5
"""Side of the patches, in pixels; smaller for images that are smaller than this."""
FILTERS = 64
CELLS = 3
"""Rows and columns of the grid that responses are averaged over."""
PATCHES = 20_000
"""Patches whose covariance is taken."""
FLOOR = 0.1
"""Added to the variances of the patches before whitening, as a share of their mean: leaves noise small."""
PIECE = 64
"""Images looked at together: their responses stay in the cache of a core."""
ELONGATED = 8
"""Longest side, in units of the shorter side asked for (`SIDE` at least)."""


def probe_features(
    pixels: npt.NDArray[np.generic], *, seed: int, side: int = SIDE, filters: int = FILTERS
) -> npt.NDArray[np.float32]:
    """What the probe sees of each image, for distances and linear models.

    Shape: (n, h, w, c) uint8, uint16 or float -> float32 (n, 2 * filters * cells), cells at most 9. The filters are
    patches of these images, drawn by `seed`; only the order of magnitude of distances means something.
    Cost: about 0.1 s a thousand 32 x 32 RGB images on one core.
    Raises: ValueError for no images, or for another number of axes.
    """
    images = probe_images(pixels, side=side)
    return draw_probe(images, seed=seed, filters=filters)(images).numpy()


def probe_images(pixels: npt.NDArray[np.generic], *, side: int = SIDE) -> Tensor:
    """The images as the probe takes them: small, with mean 0 and deviation 1 over all pixels and channels.

    Shape: (n, h, w, c) uint8, uint16 or float -> float32 (n, c, h', w'), the shorter side at most `side`. Pixels that
    are no finite number count as the mean. One scale for all channels, so that colours keep their proportions.
    Raises: ValueError for no images, or for another number of axes.
    """
    if pixels.ndim != 4 or not pixels.size:
        raise ValueError(f"`pixels` must be (n, h, w, c) with n >= 1, but has shape {pixels.shape}.")
    side = min(side, *pixels.shape[1:3])
    pieces = [
        resized(torch.from_numpy(pixels[start : start + PIECE].astype(np.float32)).permute(0, 3, 1, 2), side)
        for start in range(0, len(pixels), PIECE)
    ]
    images = torch.cat(pieces).contiguous()
    finite = images.isfinite()
    if finite.all():
        return (images - images.mean()) / images.std(correction=0).clamp(min=1e-12)
    known = images[finite] if finite.any() else torch.zeros(1)
    return ((images - known.mean()) / known.std(correction=0).clamp(min=1e-12)).masked_fill(~finite, 0.0)


def resized(images: Tensor, side: int) -> Tensor:
    """Brought to a shorter side of `side` pixels, bilinear, antialiased where they get smaller.

    Shape: (n, c, h, w) -> (n, c, h', w'); very long images are squeezed.
    """
    height, width = images.shape[2:]
    ratio = side / min(height, width)
    longest = ELONGATED * max(side, SIDE)
    size = [min(max(1, round(length * ratio)), longest) for length in (height, width)]
    if size == [height, width]:
        return images
    return F.interpolate(images, size=size, mode="bilinear", antialias=ratio < 1)


@dataclass(frozen=True, eq=False)
class Probe:
    """One layer: convolution, both signs of the response beyond a threshold, average over a grid."""

    weight: Tensor
    """(filters, c, p, p): whitening and filter in one."""
    bias: Tensor
    """(filters,)"""
    threshold: Tensor
    """(filters,): responses weaker than this count as none."""
    cells: int
    """Rows and columns of the grid."""

    def __call__(self, images: Tensor) -> Tensor:
        """Shape: float32 (n, c, h, w) as `probe_images` gives them -> (n, 2 * filters * cells * cells)."""
        return torch.cat([self._seen(piece) for piece in torch.split(images, PIECE)])

    def _seen(self, images: Tensor) -> Tensor:
        response = F.conv2d(_padded(images, self.weight.shape[-1]), self.weight, self.bias)
        grid = (min(self.cells, response.shape[2]), min(self.cells, response.shape[3]))
        threshold = self.threshold[:, None, None]
        for_it = F.adaptive_avg_pool2d((response - threshold).relu_(), grid)
        against = F.adaptive_avg_pool2d((-response - threshold).relu_(), grid)
        return torch.cat([for_it.flatten(1), against.flatten(1)], dim=1)


def draw_probe(images: Tensor, *, seed: int, filters: int = FILTERS, cells: int = CELLS) -> Probe:
    """A probe whose filters are whitened patches of these images, drawn by `seed`.

    Shape: float32 (n, c, h, w) as `probe_images` gives them.
    """
    size = min(PATCH, *images.shape[2:])
    patches = _patches(images, size, np.random.default_rng(stream_seed(seed, "fingerprint", "patches")))
    mean = patches.mean(dim=0)
    centred = patches - mean
    variance, axes = torch.linalg.eigh((centred.T @ centred / len(centred)).double())
    floor = FLOOR * variance.mean().clamp(min=1e-12)
    whitening = ((axes * (variance.clamp(min=0) + floor).rsqrt()) @ axes.T).float()
    drawn = centred[torch.arange(filters) * len(centred) // filters] @ whitening
    weight = F.normalize(drawn, dim=1) @ whitening
    bias = -(weight @ mean)
    threshold = 0.5 * (centred @ weight.T).std(dim=0, correction=0)
    return Probe(weight.view(filters, -1, size, size), bias, threshold, cells)


def _patches(images: Tensor, size: int, random: np.random.Generator) -> Tensor:
    """(PATCHES, c * p * p), at random places of random images."""
    count, channels, height, width = images.shape
    most = max(1, PATCHES // 20)
    chosen = torch.from_numpy(random.choice(count, min(count, most), replace=False))
    unfolded = _padded(images[chosen], size).unfold(2, size, 1).unfold(3, size, 1)
    which = torch.from_numpy(random.integers(0, len(chosen), PATCHES))
    y, x = (torch.from_numpy(random.integers(0, length, PATCHES)) for length in (height, width))
    return unfolded[which, :, y, x].reshape(PATCHES, channels * size * size)


def _padded(images: Tensor, size: int) -> Tensor:
    """The border repeated, so that responses are as many as pixels."""
    before, after = (size - 1) // 2, size // 2
    return F.pad(images, (before, after, before, after), mode="replicate")
