"""The order of training samples that lie in buckets: every batch of one bucket, each bucket as often as it is full."""

from dataclasses import dataclass, field, replace

import numpy as np

from fieldcraft.data.order import Order, Rows
from fieldcraft.records.streams import stream_seed


@dataclass(frozen=True, eq=False)
class BucketOrder:
    """Batches of exactly `batch` rows, each of one bucket; any step on its own.

    Within a bucket rows go on from epoch to epoch as in `Order`, each bucket shuffled by a stream of its own. After k
    epochs a bucket of m rows has given floor(k m / batch) batches, so that all rows are seen equally often, but for the
    last part of a batch. Which bucket comes when is drawn epoch by epoch from (seed, "order", name/buckets, epoch). A
    bucket of fewer rows than a batch shows some of them twice in it.
    """

    orders: tuple[Order, ...]
    """One a bucket, none without rows; their batches are those of the bucket alone."""
    places: tuple[Rows, ...]
    """Where the rows of each bucket stand among those of the part."""
    batch: int
    seed: int
    name: str
    _epochs: dict[int, Rows] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Rows, buckets: Rows, batch: int, seed: int, name: str) -> "BucketOrder":
        """`buckets` has one entry a row. A batch may not have more rows than there are."""
        if not 1 <= batch <= len(rows) or len(buckets) != len(rows):
            raise ValueError(f"`1 <= batch <= {len(rows)}` and a bucket a row must hold, got {batch}, {len(buckets)}.")
        there = np.unique(buckets)
        places = tuple(np.flatnonzero(buckets == one) for one in there)
        orders = tuple(
            Order(rows[place], min(batch, len(place)), seed, f"{name}/bucket-{one}")
            for one, place in zip(there, places, strict=True)
        )
        return cls(orders, places, batch, seed, name)

    def at(self, step: int) -> Rows:
        """The rows of optimiser step `step` (from 0)."""
        epoch = step * self.batch // sum(len(order.rows) for order in self.orders)
        while self._before(epoch + 1) <= step:  # rounding down leaves an epoch a few batches short
            epoch += 1
        place = step - self._before(epoch)
        course = self.epoch(epoch)
        bucket = int(course[place])
        number = self._given(bucket, epoch) + int((course[:place] == bucket).sum())
        return self.orders[bucket].span(number * self.batch, self.batch)

    def epoch(self, epoch: int) -> Rows:
        """The bucket of each batch of one epoch, as places in `orders`."""
        if epoch not in self._epochs:
            counts = [self._given(one, epoch + 1) - self._given(one, epoch) for one in range(len(self.orders))]
            random = np.random.default_rng(stream_seed(self.seed, "order", f"{self.name}/buckets", epoch))
            for old in sorted(self._epochs)[:-1]:
                del self._epochs[old]
            self._epochs[epoch] = random.permutation(np.repeat(np.arange(len(self.orders)), counts))
        return self._epochs[epoch]

    def evened(self, classes: Rows, power: float) -> "BucketOrder":
        """Within each bucket, each class drawn by its size there raised to `power`; `classes` has one entry a row."""
        orders = tuple(
            order.evened(classes[place], power) for order, place in zip(self.orders, self.places, strict=True)
        )
        return replace(self, orders=orders, _epochs={})

    def drawn_by(self, seed: int) -> "BucketOrder":
        """The same rows in the order of another seed."""
        return replace(self, orders=tuple(order.drawn_by(seed) for order in self.orders), seed=seed, _epochs={})

    def _given(self, bucket: int, epochs: int) -> int:
        """Batches that a bucket has given after so many epochs."""
        return epochs * len(self.orders[bucket].rows) // self.batch

    def _before(self, epoch: int) -> int:
        """Batches of all epochs before one."""
        return sum(self._given(bucket, epoch) for bucket in range(len(self.orders)))
