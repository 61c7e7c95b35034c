"""The order in which training samples are seen: epoch after epoch, each shuffled by its own stream."""

from dataclasses import dataclass, field

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
    _epochs: dict[int, Rows] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= len(self.rows):
            raise ValueError(f"`1 <= batch <= {len(self.rows)}` (the rows) must hold, but got batch={self.batch}.")

    def at(self, step: int) -> Rows:
        """The rows of optimiser step `step` (from 0)."""
        first = step * self.batch
        epoch, place = divmod(first, len(self.rows))
        rows = self.epoch(epoch)[place : place + self.batch]
        if len(rows) == self.batch:
            return rows
        return np.concatenate([rows, self.epoch(epoch + 1)[: self.batch - len(rows)]])

    def epoch(self, epoch: int) -> Rows:
        """All rows as they are seen in one epoch; the last two epochs asked for are kept."""
        if epoch not in self._epochs:
            random = np.random.default_rng(stream_seed(self.seed, "order", self.name, epoch))
            for old in sorted(self._epochs)[:-1]:
                del self._epochs[old]
            self._epochs[epoch] = self.rows[random.permutation(len(self.rows))]
        return self._epochs[epoch]
