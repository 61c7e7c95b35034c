"""Residual blocks: the classic one and the one with norm and activation before each convolution."""

from functools import partial

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.conv import make_conv
from fieldcraft.nn.blocks.drop_path import drop_path
from fieldcraft.nn.blocks.norm import NormKind, make_norm
from fieldcraft.nn.blocks.squeeze_excitation import make_gate
from fieldcraft.nn.sizes import Size


class Residual(nn.Module):
    """Add conv-norm-activation-conv-norm to the input, then activate the sum.

    The sum is activated, not the branch: a branch that ends in a rectifier can only add, and one that starts at zero
    behind a rectifier would never get a gradient.

    Shape: (n, width, *size) -> same, over `spatial` axes; `kernel` and `dilation` are one number, or one an axis.
    Receptive field: + 2 dilation (kernel - 1) px times the input's stride.
    Cost: 2 width^2 prod(kernel) multiply-adds per position; less when `separable` (see `make_conv`).
    `squeeze_excitation`, a reduction, gates the branch's channels (see `SqueezeExcitation`); 0 is no gate.
    `drop_path`: chance that a sample goes without the branch in training (Huang et al. 2016, arXiv:1603.09382).
    Source: He et al. 2015, arXiv:1512.03385, figure 2.
    """

    def __init__(
        self,
        width: int,
        *,
        spatial: int = 2,
        kernel: Size = 3,
        dilation: Size = 1,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        separable: bool = False,
        squeeze_excitation: int = 0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.drop_path = drop_path
        conv = partial(
            make_conv,
            width,
            width,
            kernel,
            spatial=spatial,
            dilation=dilation,
            bias=norm == "none",
            separable=separable,
        )
        self.branch = nn.Sequential(
            *conv(),
            make_norm(norm, width, spatial),
            make_activation(activation),
            *conv(),
            make_norm(norm, width, spatial),
        )
        self.gate = make_gate(width, squeeze_excitation)
        self.activation = make_activation(activation)

    @property
    def last(self) -> nn.Module:
        """The module whose zero weights make the branch vanish: the last norm, or convolution when there is none."""
        return self.branch[-2] if isinstance(self.branch[-1], nn.Identity) else self.branch[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Transform (n, width, *size)."""
        x = x + drop_path(self.gate(self.branch(x)), self.drop_path, training=self.training)
        return self.activation(x)  # type: ignore[no-any-return]


class PreActResidual(nn.Module):
    """Add two norm-activation-convolution steps to an untouched skip path.

    Shape: (n, width, *size) -> same, over `spatial` axes; `kernel` and `dilation` are one number, or one an axis.
    Receptive field: + 2 dilation (kernel - 1) px times the input's stride.
    Cost: 2 width^2 prod(kernel) multiply-adds per position; less when `separable` (see `make_conv`).
    `squeeze_excitation`, a reduction, gates the branch's channels (see `SqueezeExcitation`); 0 is no gate.
    `drop_path`: chance that a sample goes without the branch in training (Huang et al. 2016, arXiv:1603.09382).
    Source: He et al. 2016, arXiv:1603.05027, figure 4(e).
    """

    def __init__(
        self,
        width: int,
        *,
        spatial: int = 2,
        kernel: Size = 3,
        dilation: Size = 1,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        separable: bool = False,
        squeeze_excitation: int = 0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.drop_path = drop_path
        conv = partial(make_conv, width, width, kernel, spatial=spatial, dilation=dilation, separable=separable)
        self.branch = nn.Sequential(
            make_norm(norm, width, spatial),
            make_activation(activation),
            *conv(bias=norm == "none"),
            make_norm(norm, width, spatial),
            make_activation(activation),
            *conv(),
        )
        self.gate = make_gate(width, squeeze_excitation)

    @property
    def last(self) -> nn.Module:
        """The module whose zero weights make the branch vanish: the last convolution."""
        return self.branch[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Transform (n, width, *size)."""
        return x + drop_path(self.gate(self.branch(x)), self.drop_path, training=self.training)
