"""DeepMedic: pathways of valid convolutions, one on the voxels and others on a coarser, wider view, joined late."""

from collections.abc import Sequence
from itertools import pairwise
from math import lcm

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.blocks.activation import ActivationKind
from fieldcraft.nn.blocks.axes import AVERAGE_POOLS, CONVOLUTIONS
from fieldcraft.nn.blocks.conv import ConvNormActivation
from fieldcraft.nn.blocks.norm import NormKind
from fieldcraft.nn.sizes import Size, per_axis


class DeepMedic(nn.Module):
    """Classify voxels by what is near them, seen sharply, and by what is far, seen coarsely.

    Each pathway is the same stack of convolutions without padding; that of factor f works on means over blocks of f
    voxels an axis, sees f times as far, and its map is repeated f times an axis before the pathways meet. Segments
    overlap in what they see and not in what they give: the net is trained on segments (57^3 in, of which the pathway
    at full resolution sees the inner 25^3, 9^3 out), and gives of a whole volume, in one pass, what it would give of
    each segment.

    Arguments:
    - `spatial`: axes of the input, 1 to 3. `widths`: channels of each convolution of a pathway.
    - `kernel`: odd; one number, or one an axis. The field of a pathway is f (1 + len(widths) (kernel - 1)).
    - `factors`: one entry a pathway, a number or one an axis; (1, 3) is the paper's, (1,) one pathway, (1, 3, 5) its
      later three. Context far beyond the volume is padding: there a second pathway costs and tells nothing.
    - `hidden`: channels of the 1x1 convolutions that mix the pathways; `dropout` before each of them but the first.
    - `norm`: "batch" as in the paper. Norms over the map ("instance", "group", "layer") make what a position gets
      depend on the segment that it is in.

    Shape: (n, channels, *size) -> logits (n, classes, *(size - 2 margin)). `margin` voxels an axis are lost on each
    side (24 by default), and size - 2 margin has to be a multiple of `multiple` (the least common one of the factors);
    `SameSize` pads. A net asked about a part of the image that begins at a multiple of `multiple` gives exactly (in
    evaluation, but for norms over the map) what it gives there for the whole.
    Raises: ValueError for even kernels, and in the pass for a size that does not fit.
    Source: Kamnitsas et al. 2017, arXiv:1603.05959, sections 2.1 to 2.4 and figure 5: 17 and 51 voxels. Ours differ in
    that one input serves all pathways, in means over blocks where theirs thins the image out, and in leaky rectifiers
    where theirs learns the slopes.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        spatial: int = 3,
        widths: Sequence[int] = (30, 30, 40, 40, 40, 40, 50, 50),
        kernel: Size = 3,
        factors: Sequence[Size] = (1, 3),
        hidden: Sequence[int] = (150, 150),
        norm: NormKind = "batch",
        activation: ActivationKind = "leaky-relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        kernels = per_axis(kernel, spatial, "`kernel`")
        if not widths or not factors or any(size % 2 == 0 for size in kernels):
            raise ValueError(
                "pathways need a width, a factor and odd kernels, so that each output has a voxel in its middle, but "
                f"got {widths=}, {kernel=}, {factors=}."
            )
        self.factors = tuple(per_axis(one, spatial, "a factor") for one in factors)
        lost = [
            [f * len(widths) * (size - 1) // 2 for f, size in zip(one, kernels, strict=True)] for one in self.factors
        ]
        self.margin = tuple(max(sides) for sides in zip(*lost, strict=True))
        self.multiple = tuple(lcm(*along) for along in zip(*self.factors, strict=True))
        self.insets = tuple(tuple(most - side for most, side in zip(self.margin, sides, strict=True)) for sides in lost)
        self.pools = nn.ModuleList(
            AVERAGE_POOLS[spatial](one) if max(one) > 1 else nn.Identity() for one in self.factors
        )
        self.pathways = nn.ModuleList(
            nn.Sequential(
                *(
                    ConvNormActivation(
                        before, after, spatial=spatial, kernel=kernel, padding="none", norm=norm, activation=activation
                    )
                    for before, after in pairwise((channels, *widths))
                )
            )
            for _ in self.factors
        )
        joined = (len(self.factors) * widths[-1], *hidden)
        self.join = nn.Sequential(
            *(
                nn.Sequential(
                    *([nn.Dropout(dropout)] if dropout and place else []),
                    ConvNormActivation(before, after, spatial=spatial, kernel=1, norm=norm, activation=activation),
                )
                for place, (before, after) in enumerate(pairwise(joined))
            )
        )
        self.head = nn.Sequential(nn.Dropout(dropout), CONVOLUTIONS[spatial](joined[-1], classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the middle of (n, channels, *size)."""
        self._check(x)
        seen = [
            F.interpolate(pathway(pool(_inner(x, inset))), scale_factor=[float(f) for f in factor], mode="nearest")
            if max(factor) > 1
            else pathway(_inner(x, inset))
            for factor, inset, pool, pathway in zip(self.factors, self.insets, self.pools, self.pathways, strict=True)
        ]
        return self.head(self.join(torch.cat(seen, dim=1)))  # type: ignore[no-any-return]

    def _check(self, x: Tensor) -> None:
        sizes = zip(x.shape[2:], self.margin, self.multiple, strict=True)
        if any(size <= 2 * margin or (size - 2 * margin) % multiple for size, margin, multiple in sizes):
            raise ValueError(
                f"an input must have 2 x {self.margin} positions more than a multiple of {self.multiple}, but has "
                f"{tuple(x.shape[2:])}: pad it, or wrap the net in `SameSize`."
            )


def _inner(x: Tensor, inset: Sequence[int]) -> Tensor:
    for axis, size in enumerate(inset, start=2):
        if size:
            x = x.narrow(axis, size, x.shape[axis] - 2 * size)
    return x
