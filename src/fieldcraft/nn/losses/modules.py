"""Losses as modules: the functions of `losses.functional` with their settings kept."""

from torch import Tensor, nn

from fieldcraft.nn.losses import functional


class CrossEntropy(nn.Module):
    """Softmax cross-entropy with smoothing in [0, 1), of samples or of positions in a map.

    `weights` and `adjustment`, (classes,), and `void` are as in `functional.cross_entropy`.

    Shape: (n, classes, *spatial), int64 (n, *spatial) or shares (n, classes, *spatial) -> ().
    """

    weights: Tensor | None
    adjustment: Tensor | None

    def __init__(
        self,
        smoothing: float = 0.0,
        weights: Tensor | None = None,
        adjustment: Tensor | None = None,
        *,
        void: int | None = None,
    ) -> None:
        super().__init__()
        self.void = void
        self.smoothing = _share(smoothing)
        self.register_buffer("weights", weights)
        self.register_buffer("adjustment", adjustment)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over samples, in nats."""
        return functional.cross_entropy(
            outputs, targets, smoothing=self.smoothing, weights=self.weights, adjustment=self.adjustment, void=self.void
        )


class BinaryCrossEntropy(nn.Module):
    """Sigmoid cross-entropy with smoothing in [0, 1). Shape: (n, labels), float (n, labels) -> ().

    `positive`, (labels,), is as in `functional.binary_cross_entropy`.
    """

    positive: Tensor | None

    def __init__(self, smoothing: float = 0.0, positive: Tensor | None = None) -> None:
        super().__init__()
        self.smoothing = _share(smoothing)
        self.register_buffer("positive", positive)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over samples and labels, in nats."""
        return functional.binary_cross_entropy(outputs, targets, smoothing=self.smoothing, positive=self.positive)


class SquaredError(nn.Module):
    """Mean squared error. Shape: (n, t), (n, t) -> ()."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over samples and targets."""
        return functional.squared_error(outputs, targets)


class Huber(nn.Module):
    """Huber loss with `delta` > 0. Shape: (n, t), (n, t) -> ()."""

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        if delta <= 0:
            raise ValueError(f"`delta > 0` must hold, but got {delta=}.")
        self.delta = delta

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over samples and targets."""
        return functional.huber(outputs, targets, delta=self.delta)


def _share(smoothing: float) -> float:
    if not 0 <= smoothing < 1:
        raise ValueError(f"`0 <= smoothing < 1` must hold, but got {smoothing=}.")
    return smoothing
