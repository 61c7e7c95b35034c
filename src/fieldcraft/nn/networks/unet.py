"""U-Net: an encoder that shrinks the map level by level, a decoder that brings it back, skips between them."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind
from fieldcraft.nn.blocks.attention_gate import AttentionGate
from fieldcraft.nn.blocks.axes import CONVOLUTIONS, MAX_POOLS
from fieldcraft.nn.blocks.conv import ConvNormActivation, Downsample
from fieldcraft.nn.blocks.norm import NormKind
from fieldcraft.nn.blocks.residual import Residual
from fieldcraft.nn.blocks.squeeze_excitation import make_gate
from fieldcraft.nn.blocks.upsample import Upsample, UpsampleKind
from fieldcraft.nn.sizes import Size, per_axis, total_strides

Entry = TypeVar("Entry")
EncoderKind = Literal["plain", "residual"]


class Encoder(nn.Module):
    """Levels of convolutions; each but the first begins by shrinking the map.

    Arguments are those of `UNet`, but that `kernels`, `strides` (of each level; that of the first may be above 1) and
    `depths` have one entry a level.

    Shape: (n, channels, *size) -> one map a level, finest first: (n, widths[l], *ceil(size / strides up to l)).
    """

    def __init__(
        self,
        channels: int,
        *,
        spatial: int,
        widths: Sequence[int],
        kernels: Sequence[Size],
        strides: Sequence[Size],
        depths: Sequence[int],
        kind: EncoderKind = "plain",
        downsample: Downsample = "stride",
        norm: NormKind = "instance",
        activation: ActivationKind = "leaky-relu",
        separable: bool = False,
        squeeze_excitation: int = 0,
    ) -> None:
        super().__init__()
        step = partial(ConvNormActivation, spatial=spatial, norm=norm, activation=activation)

        def block(width: int, kernel: Size) -> nn.Module:
            if kind == "plain":
                return step(width, width, kernel=kernel, separable=separable)
            return Residual(
                width,
                spatial=spatial,
                kernel=kernel,
                norm=norm,
                activation=activation,
                separable=separable,
                squeeze_excitation=squeeze_excitation,
            )

        def level(place: int, before: int, after: int) -> nn.Module:
            kernel, stride = kernels[place], per_axis(strides[place], spatial, f"the stride of level {place}")
            pools = downsample == "max-pool" and max(stride) > 1
            if not pools:
                _check_taps(per_axis(kernel, spatial, f"the kernel of level {place}"), stride, place)
            entry = step(before, after, kernel=kernel, stride=1 if pools else stride, separable=separable and place > 0)
            more = depths[place] - 1 if kind == "plain" else depths[place]
            return nn.Sequential(
                *([MAX_POOLS[spatial](stride, stride, ceil_mode=True)] if pools else []),
                entry,
                *(block(after, kernel) for _ in range(more)),
                *([make_gate(after, squeeze_excitation)] if kind == "plain" and squeeze_excitation else []),
            )

        self.levels = nn.ModuleList(level(place, *pair) for place, pair in enumerate(pairwise((channels, *widths))))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Maps of all levels, finest first."""
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return tuple(maps)


class Decoder(nn.Module):
    """From the coarsest map of any encoder back to its finest, with or without what the finer maps still know.

    Each step enlarges the map to the size of the next finer one, joins the two where `skips` says so, and convolves.
    Arguments are those of `UNet`; `widths`, `strides` and `kernels` have one entry a level of the encoder (the first
    stride and the last kernel are not used), `skips` and `depths` one a level but the coarsest.

    Shape: one map a level, finest first, as `Encoder` gives them -> the decoder's maps of all levels but the coarsest,
    finest first, of the same widths and sizes.
    """

    def __init__(
        self,
        *,
        spatial: int,
        widths: Sequence[int],
        kernels: Sequence[Size],
        strides: Sequence[Size],
        depths: Sequence[int],
        skips: Sequence[bool],
        upsample: UpsampleKind = "transposed",
        attention: bool = False,
        norm: NormKind = "instance",
        activation: ActivationKind = "leaky-relu",
        separable: bool = False,
        squeeze_excitation: int = 0,
    ) -> None:
        super().__init__()
        self.skips = tuple(skips)
        self.ups, self.gates, self.merges = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        step = partial(ConvNormActivation, spatial=spatial, norm=norm, activation=activation, separable=separable)
        for place, (fine, coarse) in enumerate(pairwise(widths)):
            stride, joined = strides[place + 1], 2 * fine if self.skips[place] else fine
            self.ups.append(Upsample(coarse, fine, stride, spatial=spatial, kind=upsample))
            gated = attention and self.skips[place]
            self.gates.append(AttentionGate(fine, coarse, stride, spatial=spatial) if gated else nn.Identity())
            self.merges.append(
                nn.Sequential(
                    *(
                        step(joined if index == 0 else fine, fine, kernel=kernels[place])
                        for index in range(depths[place])
                    ),
                    *([make_gate(fine, squeeze_excitation)] if squeeze_excitation else []),
                )
            )

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Decode the maps of an encoder, finest first."""
        x, made = maps[-1], []
        for place in reversed(range(len(self.ups))):
            skip, coarse = maps[place], x
            x = self.ups[place](coarse, skip.shape[2:])
            if self.skips[place]:
                gate = self.gates[place]
                x = torch.cat([x, gate(skip, coarse) if isinstance(gate, AttentionGate) else skip], dim=1)
            x = self.merges[place](x)
            made.append(x)
        return tuple(reversed(made))


class UNet(nn.Module):
    """Segment by shrinking the map to see far and enlarging it again to be exact.

    Arguments:
    - `spatial`: axes of the input, 1 to 3.
    - `widths`: channels of each level, finest first. Twice the width is about four times the weights of a level; the
      finest levels cost the time and the memory, the coarsest hold the weights.
    - `kernels`: one number for all levels, or one entry a level (a number, or one an axis). 1 along an axis that the
      voxels are much coarser on, until strides have made them cubes; larger kernels than 3 rarely pay in 3-D.
    - `strides`: one number, or one entry for each step from a level to the next (a number, or one an axis): 1 along
      axes that are to keep their size. Each step doubles what the deepest level sees; shrinking below the smallest
      objects loses them there, and only skips bring them back.
    - `encoder`: "plain" convolutions, or "residual" blocks behind the first convolution of each level.
    - `depths`, `decoder_depths`: convolutions (of a residual encoder: blocks) a level; one number, or one entry a
      level (decoder: a level but the coarsest).
    - `downsample`: strides of the first convolution of a level, or max-pooling in front of it (keeps the strongest
      answer; has no weights).
    - `upsample`: see `Upsample`.
    - `skips`: one for all, or one a level but the coarsest, finest first. Without one, boundaries of that level's
      scale have to come through the levels below.
    - `attention`: gates on the skips, see `AttentionGate`. `squeeze_excitation`: a reduction, see `SqueezeExcitation`;
      0 is none.
    - `separable`: depthwise separable convolutions everywhere but for the very first: about 1 / kernel^spatial of the
      weights and multiply-adds; hurts accuracy where the net is narrow, and is no faster where kernels are slow (3-D on
      CPUs).
    - `norm`: "instance" or "group" for batches of two or so, where "batch" would hurt.
    - `deep_supervision`: how many coarser levels of the decoder get logits of their own while training. Helps deep
      nets to learn early; costs little; the loss has to take it (`losses.deep_supervision`).

    Odd sizes: strides and pools round sizes up, and enlarging cuts what is beyond the finer map, so that each position
    keeps its place and logits have exactly the size of the input; no size needs padding. The same image moved by a
    multiple of `divisor` gives the same logits, moved, where borders are far.

    Shape: (n, channels, *size) -> logits (n, classes, *size); while training with `deep_supervision`, a tuple of
    logits, finest first, (n, classes, *ceil(size / output_strides[i])).
    Raises: ValueError when the numbers of entries do not fit, or a kernel is smaller than the stride it is to take
    (it would never look at some positions); from instance norm when the coarsest map is a single position.
    Source: Ronneberger et al. 2015, arXiv:1505.04597; Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (strides and
    kernels an axis, instance norm, deep supervision).
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        spatial: int = 2,
        widths: Sequence[int] = (32, 64, 128, 256),
        kernels: int | Sequence[Size] = 3,
        strides: int | Sequence[Size] = 2,
        encoder: EncoderKind = "plain",
        depths: int | Sequence[int] = 2,
        decoder_depths: int | Sequence[int] = 2,
        downsample: Downsample = "stride",
        upsample: UpsampleKind = "transposed",
        skips: bool | Sequence[bool] = True,
        attention: bool = False,
        squeeze_excitation: int = 0,
        separable: bool = False,
        norm: NormKind = "instance",
        activation: ActivationKind = "leaky-relu",
        deep_supervision: int = 0,
    ) -> None:
        super().__init__()
        levels = len(widths)
        if levels < 2 or not 0 <= deep_supervision <= levels - 2:
            raise ValueError(
                "a U-Net needs two levels or more, and at most two fewer of them with logits of their own, but got "
                f"{widths=}, {deep_supervision=}."
            )
        kernel_of: tuple[Size, ...] = _each(kernels, levels, "kernels", "level")
        steps: tuple[Size, ...] = _each(strides, levels - 1, "strides", "step between levels")
        stride_of = (1, *steps)
        self.encoder = Encoder(
            channels,
            spatial=spatial,
            widths=widths,
            kernels=kernel_of,
            strides=stride_of,
            depths=_each(depths, levels, "depths", "level"),
            kind=encoder,
            downsample=downsample,
            norm=norm,
            activation=activation,
            separable=separable,
            squeeze_excitation=squeeze_excitation,
        )
        self.decoder = Decoder(
            spatial=spatial,
            widths=widths,
            kernels=kernel_of,
            strides=stride_of,
            depths=_each(decoder_depths, levels - 1, "decoder_depths", "level but the coarsest"),
            skips=_each(skips, levels - 1, "skips", "level but the coarsest"),
            upsample=upsample,
            attention=attention,
            norm=norm,
            activation=activation,
            separable=separable,
            squeeze_excitation=squeeze_excitation,
        )
        convolution = CONVOLUTIONS[spatial]
        self.heads = nn.ModuleList(convolution(width, classes, 1) for width in widths[: deep_supervision + 1])
        taken = total_strides(stride_of, spatial)
        self.output_strides = taken[: deep_supervision + 1]
        self.divisor = taken[-1]

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Logits of each class at each position of (n, channels, *size)."""
        maps = self.decoder(self.encoder(x))
        if self.training and len(self.heads) > 1:
            return tuple(head(one) for head, one in zip(self.heads, maps, strict=False))
        return self.heads[0](maps[0])  # type: ignore[no-any-return]


def _each(given: Entry | Sequence[Entry], count: int, name: str, what: str) -> tuple[Entry, ...]:
    """One entry a level: the same for all, or as given."""
    if not isinstance(given, Sequence):
        return (given,) * count
    if len(given) != count:
        raise ValueError(f"`{name}` must have {count} entries, one a {what}, but got {len(given)}: {given}.")
    return tuple(given)


def _check_taps(kernel: Sequence[int], stride: Sequence[int], level: int) -> None:
    if any(size < step for size, step in zip(kernel, stride, strict=True)):
        raise ValueError(
            f"level {level} would never look at some positions: its kernel {tuple(kernel)} must be at least its stride "
            f"{tuple(stride)} along each axis. Take a larger kernel, a smaller stride, or max-pooling."
        )
