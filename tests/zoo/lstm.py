"""A small LSTM classifier.

Source: Hochreiter and Schmidhuber 1997, Neural Computation 9(8).
"""

from torch import Tensor, nn


class LstmClassifier(nn.Module):
    """(n, c, t) -> (n, classes), or (n, classes, t) with `each_step`."""

    def __init__(
        self,
        channels: int = 2,
        classes: int = 3,
        hidden: int = 4,
        layers: int = 1,
        *,
        bidirectional: bool = False,
        each_step: bool = False,
    ) -> None:
        super().__init__()
        self.each_step = each_step
        self.lstm = nn.LSTM(channels, hidden, layers, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(hidden * (2 if bidirectional else 1), classes)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(x.transpose(1, 2))
        return self.head(steps).transpose(1, 2) if self.each_step else self.head(steps[:, -1])
