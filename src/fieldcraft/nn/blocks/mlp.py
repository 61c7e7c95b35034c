"""Steps of a multilayer perceptron, plain and residual."""

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.norm import NormKind, make_norm


class MlpStep(nn.Module):
    """Linear, norm, activation, dropout; `residual` adds the input before the activation.

    Shape: (n, inputs) -> (n, outputs). Cost: inputs * outputs multiply-adds a sample.
    Raises: ValueError when `residual` is asked for but input and output differ in width.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        if residual and inputs != outputs:
            raise ValueError(f"a residual step needs `inputs == outputs`, but got {inputs=}, {outputs=}.")
        self.residual = residual
        self.linear = nn.Linear(inputs, outputs, bias=norm == "none")
        self.norm = make_norm(norm, outputs, 0)
        self.activation = make_activation(activation)
        self.dropout = nn.Dropout(dropout)

    @property
    def last(self) -> nn.Module:
        """The module whose zero weights make the branch vanish: the norm, or the linear map when there is none."""
        return self.linear if isinstance(self.norm, nn.Identity) else self.norm

    def forward(self, x: Tensor) -> Tensor:
        """Transform (n, inputs)."""
        y = self.norm(self.linear(x))
        return self.dropout(self.activation(x + y if self.residual else y))  # type: ignore[no-any-return]
