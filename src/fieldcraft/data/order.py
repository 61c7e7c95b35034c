"""The order in which training samples are seen: epoch after epoch, each shuffled by its own stream."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fieldcraft.records.streams import stream_seed

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Order:
    """Batches of exactly `batch` rows that run on over the borders of epochs; any step on its own.

    `batch` may not exceed the number of rows. The order depends on (seed, "order", name) and nothing else.
    """

    rows: Rows
    batch: int
    seed: int
    name: str
    classes: npt.NDArray[np.int64] | None = None
    """Of each row, where classes are drawn by their size raised to `power`; None: each row once an epoch."""
    power: float = 1.0
    """0: all classes as often; 1: each as often as it is there."""
    _epochs: dict[int, Rows] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= len(self.rows):
            raise ValueError(f"`1 <= batch <= {len(self.rows)}` (the rows) must hold, but got batch={self.batch}.")
        if self.classes is not None and len(self.classes) != len(self.rows):
            raise ValueError(f"`classes` must have one entry a row ({len(self.rows)}), got {len(self.classes)}.")

    def at(self, step: int) -> Rows:
        """The rows of optimiser step `step` (from 0)."""
        return self.span(step * self.batch, self.batch)

    def span(self, first: int, count: int) -> Rows:
        """`count` rows from the `first`-th on, counted over all epochs."""
        epoch, place = divmod(first, len(self.rows))
        pieces = [self.epoch(epoch)[place : place + count]]
        while (left := count - sum(map(len, pieces))) > 0:
            epoch += 1
            pieces.append(self.epoch(epoch)[:left])
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def evened(self, classes: Rows, power: float) -> "Order":
        """The same rows, each class drawn by its size raised to `power`; `classes` has one entry a row."""
        return replace(self, classes=classes, power=power, _epochs={})

    def drawn_by(self, seed: int) -> "Order":
        """The same rows in the order of another seed."""
        return replace(self, seed=seed, _epochs={})

    def epoch(self, epoch: int) -> Rows:
        """All rows as they are seen in one epoch; the last two epochs asked for are kept."""
        if epoch not in self._epochs:
            random = np.random.default_rng(stream_seed(self.seed, "order", self.name, epoch))
            for old in sorted(self._epochs)[:-1]:
                del self._epochs[old]
            places = random.permutation(len(self.rows))
            if self.classes is not None:
                places = evened(self.classes, self.power, random)[places]
            self._epochs[epoch] = self.rows[places]
        return self._epochs[epoch]


def evened(classes: npt.NDArray[np.int64], power: float, random: np.random.Generator) -> Rows:
    """As many places as there are, each class as often as its size raised to `power` asks for.

    Shape: int64 (n,) -> int64 (n,), sorted by class. Within a class all samples come equally often, or one apart; who
    comes once more is drawn. Source: Kang et al. 2020, arXiv:1910.09217 (square-root sampling: power 0.5).
    """
    by_class = [np.flatnonzero(classes == one) for one in np.unique(classes)]
    shares = np.array([len(places) for places in by_class], dtype=np.float64) ** power
    ends = np.rint(np.cumsum(shares) / shares.sum() * len(classes)).astype(np.int64)
    wanted = np.diff(ends, prepend=0)
    drawn = [
        np.concatenate([np.tile(places, want // len(places)), random.permutation(places)[: want % len(places)]])
        for places, want in zip(by_class, wanted, strict=True)
    ]
    return np.concatenate(drawn)
