"""Back to a finer map: transposed convolutions that do not overlap, or linear resizing; exact for odd sizes."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from fieldcraft.nn.blocks.axes import CONVOLUTIONS, TRANSPOSED, cut, enlarge
from fieldcraft.nn.sizes import Size, per_axis

UpsampleKind = Literal["transposed", "linear"]


class Upsample(nn.Module):
    """Enlarge a map by whole factors to the size of a finer one whose positions it was made from.

    Position i of the coarse map stands for positions i f to i f + f - 1 of the fine one. Where f does not divide the
    fine size, the coarse map (rounded up) reaches beyond it, and what is beyond is cut; nothing is stretched.
    "transposed" learns the f values of each position with a transposed convolution of kernel f and stride f, whose
    windows do not overlap (no checkerboard of uneven overlap); "linear" resizes, then mixes channels with a 1x1
    convolution: fewer weights, smoother maps, slower in 3-D.

    Shape: (n, inputs, *ceil(size / f)), size -> (n, outputs, *size). `factor` is one number, or one an axis.
    Cost: inputs * outputs multiply-adds per position of the fine map.
    Source: Odena et al. 2016, "Deconvolution and checkerboard artifacts", doi:10.23915/distill.00003.
    """

    def __init__(
        self, inputs: int, outputs: int, factor: Size, *, spatial: int = 2, kind: UpsampleKind = "transposed"
    ) -> None:
        super().__init__()
        self.factors = per_axis(factor, spatial, "`factor`")
        self.linear = kind == "linear"
        if self.linear:
            self.mix = CONVOLUTIONS[spatial](inputs, outputs, 1)
        else:
            self.mix = TRANSPOSED[spatial](inputs, outputs, self.factors, stride=self.factors)

    def forward(self, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """Enlarge (n, inputs, *map) to `sizes`."""
        if self.linear:
            return self.mix(enlarge(x, self.factors, sizes))  # type: ignore[no-any-return]
        return cut(self.mix(x), sizes)
