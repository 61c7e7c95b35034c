"""Atrous nets: strides until the map is coarse enough, dilation from there on, context around it, and resizing."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, assert_never

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind
from fieldcraft.nn.blocks.aspp import Aspp
from fieldcraft.nn.blocks.axes import CONVOLUTIONS, enlarge_from
from fieldcraft.nn.blocks.conv import ConvNormActivation
from fieldcraft.nn.blocks.norm import NormKind
from fieldcraft.nn.blocks.pyramid_pooling import PyramidPooling
from fieldcraft.nn.blocks.residual import Residual
from fieldcraft.nn.sizes import Size, per_axis

ContextKind = Literal["aspp", "pyramid", "none"]


class AtrousBackbone(nn.Module):
    """Stages of one convolution and residual blocks, each halving the map until it reaches `output_stride`.

    From there on strides are left out, and all that follows looks at every second, fourth, ... position instead: the
    weights are those of the net with strides, and where that one has a position, so has this one, with the same
    numbers (the a-trous identity; norms over the map aside). The first convolution of such a stage keeps the dilation
    of the stage before, so that rates grow as 1, 2, 2, ..., 2, 4, 4, ... and leave no holes
    (`fieldcraft.nn.rates.leaves_holes`).

    Arguments: those of `AtrousNet`; `strides` one number, or one entry a stage (a number, or one an axis).

    Shape: (n, channels, *size) -> (n, widths[-1], *ceil(size / stride)), `stride` the attribute, an axis each.
    Source: Chen et al. 2014, arXiv:1412.7062, section 3.1; Yu et al. 2017, arXiv:1705.09914 (dilated residual nets).
    """

    def __init__(
        self,
        channels: int,
        *,
        spatial: int = 2,
        widths: Sequence[int] = (32, 64, 128, 256),
        depths: Sequence[int] = (1, 2, 2, 2),
        strides: int | Sequence[Size] = 2,
        output_stride: Size = 8,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        separable: bool = False,
        squeeze_excitation: int = 0,
    ) -> None:
        super().__init__()
        each = (strides,) * len(widths) if isinstance(strides, int) else tuple(strides)
        if not widths or len(depths) != len(widths) or len(each) != len(widths):
            raise ValueError(
                f"a stage needs a width, a depth and a stride, but got {tuple(widths)}, {tuple(depths)} and {strides}."
            )
        wanted = per_axis(output_stride, spatial, "`output_stride`")
        taken, dilation = (1,) * spatial, (1,) * spatial
        stages, rates = [], []
        for place, (before, after) in enumerate(pairwise((channels, *widths))):
            asked = per_axis(each[place], spatial, f"the stride of stage {place}")
            kept = tuple(
                step if step * so_far <= most else 1 for step, so_far, most in zip(asked, taken, wanted, strict=True)
            )
            entry = ConvNormActivation(
                before,
                after,
                spatial=spatial,
                stride=kept,
                dilation=dilation,
                norm=norm,
                activation=activation,
                separable=separable and place > 0,
            )
            rates.append(dilation)
            taken = tuple(a * b for a, b in zip(taken, kept, strict=True))
            dilation = tuple(d * step // keep for d, step, keep in zip(dilation, asked, kept, strict=True))
            blocks = [
                Residual(
                    after,
                    spatial=spatial,
                    dilation=dilation,
                    norm=norm,
                    activation=activation,
                    separable=separable,
                    squeeze_excitation=squeeze_excitation,
                )
                for _ in range(depths[place])
            ]
            rates += [dilation] * (2 * depths[place])
            stages.append(nn.Sequential(entry, *blocks))
        self.stages = nn.Sequential(*stages)
        self.stride = taken
        self.rates = tuple(rates)
        """Dilation of each convolution in its order, an axis each."""

    def forward(self, x: Tensor) -> Tensor:
        """The last map of (n, channels, *size)."""
        return self.stages(x)  # type: ignore[no-any-return]


class AtrousNet(nn.Module):
    """Segment on a map that stays fine: dilation instead of strides, context around it, linear resizing at the end.

    Helps: thin structures and boundaries, which a stride of 16 or 32 would lose, without a decoder.
    Hurts: memory and time: each halving that is left out makes all maps behind it 2^spatial times as large. Resizing
    by 8 cannot draw what is finer than about 8 positions; a U-Net's skips can.

    Arguments:
    - `spatial`: axes of the input, 1 to 3. `widths`, `depths`: channels and residual blocks of each stage.
    - `strides`: that each stage asks for; one number, or one entry a stage (a number, or one an axis).
    - `output_stride`: the most positions of the input between neighbours of the last map; one number, or one an axis.
      4 for thin structures, 16 for speed. A stage that would go beyond dilates instead.
    - `context`: "aspp" with `rates` (choose them with `fieldcraft.nn.rates.aspp_rates` for the map of a patch) and
      `image_pooling`; "pyramid" with `bins` (Zhao et al. 2017); or "none". See `Aspp` and `PyramidPooling`.
    - `norm`, `activation`, `separable`, `squeeze_excitation`: as in the other networks; "batch" norm needs more than
      two samples or so a batch, "group" does not.

    Shape: (n, channels, *size) -> logits (n, classes, *size). Position i of the last map lies at i * stride of the
    input, the middle of what it sees; resizing keeps it there, for any size; behind the last one, it is repeated.
    Raises: ValueError when numbers of entries differ.
    Source: Chen et al. 2017, arXiv:1706.05587 (DeepLab v3); Zhao et al. 2017, arXiv:1612.01105 (pyramid).
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        spatial: int = 2,
        widths: Sequence[int] = (32, 64, 128, 256),
        depths: Sequence[int] = (1, 2, 2, 2),
        strides: int | Sequence[Size] = 2,
        output_stride: Size = 8,
        context: ContextKind = "aspp",
        rates: Sequence[Size] = (1, 2, 3),
        image_pooling: bool = True,
        bins: Sequence[int] = (1, 2, 3, 6),
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        separable: bool = False,
        squeeze_excitation: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = AtrousBackbone(
            channels,
            spatial=spatial,
            widths=widths,
            depths=depths,
            strides=strides,
            output_stride=output_stride,
            norm=norm,
            activation=activation,
            separable=separable,
            squeeze_excitation=squeeze_excitation,
        )
        width = widths[-1]
        self.context: nn.Module
        match context:
            case "aspp":
                self.context = Aspp(
                    width,
                    width,
                    rates,
                    spatial=spatial,
                    image_pooling=image_pooling,
                    norm=norm,
                    activation=activation,
                    separable=separable,
                )
            case "pyramid":
                self.context = PyramidPooling(
                    width, width, bins, spatial=spatial, norm=norm, activation=activation, separable=separable
                )
            case "none":
                self.context = nn.Identity()
            case _:
                assert_never(context)
        self.head = CONVOLUTIONS[spatial](width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of each position of (n, channels, *size)."""
        coarse = self.head(self.context(self.backbone(x)))
        return enlarge_from(coarse, self.backbone.stride, x.shape[2:])
