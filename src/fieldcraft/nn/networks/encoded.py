"""A U-Net's decoder behind any encoder, such as a pretrained one."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.blocks.activation import ActivationKind
from fieldcraft.nn.blocks.axes import CONVOLUTIONS, cut, enlarge
from fieldcraft.nn.blocks.norm import NormKind
from fieldcraft.nn.blocks.upsample import UpsampleKind
from fieldcraft.nn.networks.unet import Decoder
from fieldcraft.nn.sizes import Size, per_axis


class EncodedUNet(nn.Module):
    """Decode the maps of an encoder that one already has, with skips from each of them.

    Arguments:
    - `encoder`: a module that gives its maps finest first, as `timm.create_model(..., features_only=True)` does.
    - `widths`, `reductions`: channels of each map, and positions of the input between its neighbours (a number, or one
      an axis); timm's `feature_info.channels()` and `feature_info.reduction()`.
    - `kernel`, `depth`: of the decoder's convolutions, and how many a level. `skips`: one for all, or one a level but
      the coarsest, finest first. `attention`, `upsample`: as in `UNet`.

    Sizes that the coarsest reduction does not divide are padded with zeros at their ends, and the logits cut, so that
    encoders that round down serve as well as those that round up. Logits of the finest map are resized linearly by
    its reduction: with a finest reduction of 4, what is thinner than about 4 positions is drawn no better than that.

    Shape: (n, channels, *size) -> logits (n, classes, *size).
    Raises: ValueError when numbers of entries differ, or a reduction is no multiple of the one before it.
    """

    def __init__(
        self,
        encoder: Callable[[Tensor], Sequence[Tensor]],
        classes: int,
        *,
        widths: Sequence[int],
        reductions: Sequence[Size],
        spatial: int = 2,
        kernel: Size = 3,
        depth: int = 2,
        skips: bool | Sequence[bool] = True,
        upsample: UpsampleKind = "transposed",
        attention: bool = False,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
    ) -> None:
        super().__init__()
        between = len(widths) - 1
        kept = (skips,) * between if isinstance(skips, bool) else tuple(skips)
        if between < 1 or len(reductions) != len(widths) or len(kept) != between:
            raise ValueError(
                "two maps or more need a width and a reduction each, and a skip but for the coarsest, but got "
                f"{widths=}, {reductions=}, {skips=}."
            )
        self.encoder = encoder
        totals = [per_axis(one, spatial, "a reduction") for one in reductions]
        self.finest, self.coarsest = totals[0], totals[-1]
        self.decoder = Decoder(
            spatial=spatial,
            widths=widths,
            kernels=(kernel,) * len(widths),
            strides=_steps(totals),
            depths=(depth,) * between,
            skips=kept,
            upsample=upsample,
            attention=attention,
            norm=norm,
            activation=activation,
        )
        self.head = CONVOLUTIONS[spatial](widths[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of each position of (n, channels, *size)."""
        sizes: torch.Size = x.shape[2:]
        behind = [(-size) % step for size, step in zip(sizes, self.coarsest, strict=True)]
        if any(behind):
            x = F.pad(x, [side for size in reversed(behind) for side in (0, size)])
        logits = self.head(self.decoder(self.encoder(x))[0])
        return enlarge(logits, self.finest, sizes) if max(self.finest) > 1 else cut(logits, sizes)


def _steps(totals: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Strides between neighbouring maps, the first as from the input."""
    steps = [totals[0]]
    for fine, coarse in pairwise(totals):
        if any(b % a for a, b in zip(fine, coarse, strict=True)):
            raise ValueError(f"each reduction must be a multiple of the one before it, but {coarse} follows {fine}.")
        steps.append(tuple(b // a for a, b in zip(fine, coarse, strict=True)))
    return tuple(steps)
