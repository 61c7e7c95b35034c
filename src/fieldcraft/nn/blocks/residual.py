"""Residual blocks: the classic one and the one with norm and activation before each convolution."""

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.conv import make_conv
from fieldcraft.nn.blocks.drop_path import drop_path
from fieldcraft.nn.blocks.norm import NormKind, make_norm


class Residual(nn.Module):
    """Add conv-norm-activation-conv-norm to the input, then activate the sum.

    The sum is activated, not the branch: a branch that ends in a rectifier can only add, and one that starts at zero
    behind a rectifier would never get a gradient.

    Shape: (n, width, h, w) -> same. Receptive field: + 2 (kernel - 1) px times the input's stride.
    Cost: 2 width^2 kernel^2 multiply-adds per pixel.
    `drop_path`: chance that a sample goes without the branch in training (Huang et al. 2016, arXiv:1603.09382).
    Source: He et al. 2015, arXiv:1512.03385, figure 2.
    """

    def __init__(
        self,
        width: int,
        *,
        kernel: int = 3,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.drop_path = drop_path
        bias = norm == "none"
        self.branch = nn.Sequential(
            *make_conv(width, width, kernel, bias=bias),
            make_norm(norm, width, 2),
            make_activation(activation),
            *make_conv(width, width, kernel, bias=bias),
            make_norm(norm, width, 2),
        )
        self.activation = make_activation(activation)

    @property
    def last(self) -> nn.Module:
        """The module whose zero weights make the branch vanish: the last norm, or convolution when there is none."""
        return self.branch[-2] if isinstance(self.branch[-1], nn.Identity) else self.branch[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Transform (n, width, h, w)."""
        return self.activation(x + drop_path(self.branch(x), self.drop_path, training=self.training))  # type: ignore[no-any-return]


class PreActResidual(nn.Module):
    """Add two norm-activation-convolution steps to an untouched skip path.

    Shape: (n, width, h, w) -> same. Receptive field: + 2 (kernel - 1) px times the input's stride.
    Cost: 2 width^2 kernel^2 multiply-adds per pixel.
    `drop_path`: chance that a sample goes without the branch in training (Huang et al. 2016, arXiv:1603.09382).
    Source: He et al. 2016, arXiv:1603.05027, figure 4(e).
    """

    def __init__(
        self,
        width: int,
        *,
        kernel: int = 3,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.drop_path = drop_path
        self.branch = nn.Sequential(
            make_norm(norm, width, 2),
            make_activation(activation),
            *make_conv(width, width, kernel, bias=norm == "none"),
            make_norm(norm, width, 2),
            make_activation(activation),
            *make_conv(width, width, kernel),
        )

    @property
    def last(self) -> nn.Module:
        """The module whose zero weights make the branch vanish: the last convolution."""
        return self.branch[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Transform (n, width, h, w)."""
        return x + drop_path(self.branch(x), self.drop_path, training=self.training)
