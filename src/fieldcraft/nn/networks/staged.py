"""Networks of stages: each stage keeps one width, and each but the first halves the map."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.conv import ConvNormActivation, ConvNormPlace, Downsample, Padding, halved_conv
from fieldcraft.nn.blocks.drop_path import linear_shares
from fieldcraft.nn.blocks.norm import NormKind, make_norm
from fieldcraft.nn.blocks.residual import PreActResidual, Residual
from fieldcraft.nn.heads.pooling import HeadKind, make_pooling, pooled_width

ResidualNormPlace = Literal["before-activation", "before-convolution"]


class Cnn(nn.Module):
    """Stages of `depth` convolutions (each with norm and activation), pooling, dropout, a linear map.

    The first convolution of every stage but the first works at the incoming resolution and is followed by max-pooling
    over 2 x 2, or takes strides of 2. With `separable` all convolutions but the very first, which has few channels to
    look at, are depthwise separable. `levels` are those of the head "pyramid".

    Shape: (n, channels, height, width) -> (n, outputs).
    Receptive field: grows by (kernel - 1) px times the stride before each convolution, by the stride at each pooling.
    Raises: ValueError when the map would shrink below one pixel.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        outputs: int,
        *,
        widths: Sequence[int] = (32, 64, 128),
        depth: int = 1,
        kernel: int = 3,
        padding: Padding = "same",
        downsample: Downsample = "max-pool",
        norm: NormKind = "batch",
        norm_place: ConvNormPlace = "before-activation",
        activation: ActivationKind = "relu",
        head: HeadKind = "global-average",
        levels: Sequence[int] = (1, 2, 4),
        separable: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = map_sizes(
            shape[1:], [depth] * len(widths), kernel=kernel, padding=padding, downsample=downsample, norm=norm
        )

        def step(before: int, after: int, halve: bool, first: bool = False) -> nn.Module:
            return ConvNormActivation(
                before,
                after,
                kernel=kernel,
                padding=padding,
                downsample=downsample if halve else None,
                norm=norm,
                norm_place=norm_place,
                activation=activation,
                separable=separable and not first,
            )

        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    step(before, after, stage > 0, stage == 0), *(step(after, after, False) for _ in range(depth - 1))
                )
                for stage, (before, after) in enumerate(pairwise((shape[0], *widths)))
            )
        )
        self.pool = make_pooling(head, levels)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(pooled_width(head, widths[-1], *sizes[-1], levels), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, height, width)."""
        return self.classifier(self.dropout(self.pool(self.stages(x))))  # type: ignore[no-any-return]


class ResNet(nn.Module):
    """Stages of one convolution and `depths[stage]` residual blocks, pooling, dropout, a linear map.

    The convolution of every stage but the first halves the map as in `Cnn`. With `norm_place` "before-activation" it is
    followed by norm and activation and the blocks are classic; with "before-convolution" norm and activation precede
    it (in the first stage there is nothing to precede), the blocks are pre-activation ones, and a last norm and
    activation stand before the pooling. `separable` and `levels` are as in `Cnn`; `squeeze_excitation`, a reduction,
    gates the channels of each block (0: no gates).

    Shape: (n, channels, height, width) -> (n, outputs).
    Raises: ValueError when the map would shrink below one pixel, or when `depths` and `widths` differ in length.
    Source: He et al. 2015, arXiv:1512.03385, and 2016, arXiv:1603.05027; convolution-then-pool stages as in Page 2018,
    "How to train your ResNet".
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        outputs: int,
        *,
        widths: Sequence[int] = (64, 128, 256),
        depths: Sequence[int] = (1, 1, 1),
        kernel: int = 3,
        downsample: Downsample = "max-pool",
        norm: NormKind = "batch",
        norm_place: ResidualNormPlace = "before-activation",
        activation: ActivationKind = "relu",
        head: HeadKind = "global-average",
        levels: Sequence[int] = (1, 2, 4),
        separable: bool = False,
        squeeze_excitation: int = 0,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        if len(depths) != len(widths):
            raise ValueError(f"`len(depths) == len(widths)` must hold, but got {depths=}, {widths=}.")
        sizes = map_sizes(
            shape[1:],
            [1 + 2 * blocks for blocks in depths],
            kernel=kernel,
            padding="same",
            downsample=downsample,
            norm=norm,
        )
        pre_activation = norm_place == "before-convolution"

        def entry(before: int, after: int, stage: int) -> nn.Module:
            halve = downsample if stage else None
            apart = separable and stage > 0
            if not pre_activation:
                return ConvNormActivation(
                    before, after, kernel=kernel, downsample=halve, norm=norm, activation=activation, separable=apart
                )
            conv = halved_conv(before, after, kernel, padding="same", downsample=halve, bias=True, separable=apart)
            ahead = (make_norm(norm, before, 2), make_activation(activation)) if stage else ()
            return nn.Sequential(*ahead, *conv)

        def block(width: int, share: float) -> nn.Module:
            return (PreActResidual if pre_activation else Residual)(
                width,
                kernel=kernel,
                norm=norm,
                activation=activation,
                separable=separable,
                squeeze_excitation=squeeze_excitation,
                drop_path=share,
            )

        shares = linear_shares(drop_path, depths)
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    entry(before, after, stage),
                    *(block(after, share) for share in shares[stage]),
                )
                for stage, (before, after) in enumerate(pairwise((shape[0], *widths)))
            )
        )
        last = (make_norm(norm, widths[-1], 2), make_activation(activation)) if pre_activation else ()
        self.last = nn.Sequential(*last)
        self.pool = make_pooling(head, levels)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(pooled_width(head, widths[-1], *sizes[-1], levels), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, height, width)."""
        return self.classifier(self.dropout(self.pool(self.last(self.stages(x)))))  # type: ignore[no-any-return]


def map_sizes(
    size: tuple[int, int],
    convolutions: Sequence[int],
    *,
    kernel: int,
    padding: Padding,
    downsample: Downsample,
    norm: NormKind = "none",
) -> list[tuple[int, int]]:
    """Height and width of the map after each stage, `convolutions[stage]` of them in each.

    Raises: ValueError when a convolution or a halving has too few pixels, with the sizes up to there; when instance
    norm would meet a map of one pixel.
    """
    shrink = kernel - 1 if padding == "none" else 0
    sizes: list[tuple[int, int]] = []
    for stage, count in enumerate(convolutions):
        halve = stage > 0
        size = _after(size, shrink, downsample if halve else None, stage, sizes)
        for _ in range(count - 1):
            size = _after(size, shrink, None, stage, sizes)
        if norm == "instance" and size == (1, 1):
            raise ValueError(f"instance norm needs a map of more than one pixel, but stage {stage} ends at 1 x 1.")
        sizes.append(size)
    return sizes


def _after(
    size: tuple[int, int], shrink: int, downsample: Downsample | None, stage: int, sizes: list[tuple[int, int]]
) -> tuple[int, int]:
    height, width = size[0] - shrink, size[1] - shrink
    if min(height, width) < (1 if downsample is None else 2):
        story = " -> ".join(f"{h} x {w}" for h, w in [*sizes, size])
        raise ValueError(
            f"stage {stage} would shrink its map below one pixel (maps so far: {story}): use fewer stages"
            + (', a smaller kernel or padding "same".' if shrink else ".")
        )
    if downsample == "max-pool":
        return height // 2, width // 2
    if downsample == "stride":
        # ceil(size / 2) with padding "same"; (size - kernel) // 2 + 1 without, which is the same in what is left of it.
        return (height + 1) // 2, (width + 1) // 2
    return height, width
