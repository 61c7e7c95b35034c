"""One linear map: the smallest network."""

from math import prod

from torch import Tensor, nn


class LinearNetwork(nn.Module):
    """Flatten, then one linear map.

    Shape: (n, *shape) -> (n, outputs). Cost: prod(shape) * outputs multiply-adds a sample.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(prod(shape), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, *shape)."""
        return self.linear(self.flatten(x))  # type: ignore[no-any-return]
