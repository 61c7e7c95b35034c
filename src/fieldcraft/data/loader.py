"""Batches for training and evaluation: rows drawn, taken, changed and normalised in one go, without workers."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fieldcraft.data.augment import Augmenter, Own
from fieldcraft.data.bucket_order import BucketOrder
from fieldcraft.data.buckets import BucketPixels
from fieldcraft.data.mixing import Mixer
from fieldcraft.data.order import Order, Rows
from fieldcraft.data.pixel_store import Normaliser, PixelStore
from fieldcraft.data.sent import sent
from fieldcraft.data.smaller import smaller
from fieldcraft.plan.schema import Augment


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples that go through the network together."""

    inputs: Tensor
    """float32 (n, c, *spatial), normalised, or (n, features)."""
    targets: Tensor
    """int64 (n,) or float32 (n, k); shares of classes, float32 (n, classes), where samples are blended; masks, int64
    (n, *spatial), for patches."""
    rows: Tensor
    """Which samples of the data set these are, int64 (n,), on the CPU."""

    def parts(self, size: int) -> "tuple[Batch, ...]":
        """The same samples in as few parts of at most `size` as there can be, as equal as can be.

        A norm over a part of one sample, left over from the others, would have nothing to go by.
        """
        if size >= len(self.rows):
            return (self,)
        count = -(-len(self.rows) // size)
        ends = [-(-len(self.rows) * place // count) for place in range(count + 1)]  # the first is the largest
        spans = (slice(first, last) for first, last in itertools.pairwise(ends))
        return tuple(Batch(self.inputs[span], self.targets[span], self.rows[span]) for span in spans)


@dataclass(frozen=True, eq=False)
class Images:
    """Where batches of images come from."""

    store: PixelStore
    normaliser: Normaliser
    augmenter: Augmenter | None
    seed: int
    name: str
    side: int | None = None
    """Shorter side of training images in pixels; None: as they are stored."""

    def training(self, rows: Rows, step: int) -> Tensor:
        """Images of these rows with the random changes of this step."""
        stored, indices = self.store.rows(rows)
        if self.augmenter is not None:
            return self.augmenter(
                stored, indices, self.normaliser, seed=self.seed, name=self.name, step=step, side=self.side
            )
        taken = stored.index_select(0, indices)
        if self.side is not None:
            taken = smaller(taken, self.side)
        return self.normaliser.fitting(taken.shape[1], taken.shape[2])(taken)

    def evaluation(self, rows: Rows) -> Tensor:
        """Images of these rows as they are."""
        stored, indices = self.store.rows(rows)
        return self.normaliser(stored.index_select(0, indices))


@dataclass(frozen=True, eq=False)
class BucketedImages:
    """Where batches of images of several sizes come from, each batch out of one bucket."""

    buckets: tuple[Images, ...]
    of: Rows
    """Bucket of each sample of the data set."""
    place: Rows
    """Where each sample stands in the store of its bucket."""

    def training(self, rows: Rows, step: int) -> Tensor:
        """Images of these rows with the random changes of this step."""
        return self._images(rows).training(self.place[rows], step)

    def evaluation(self, rows: Rows) -> Tensor:
        """Images of these rows as they are."""
        return self._images(rows).evaluation(self.place[rows])

    def _images(self, rows: Rows) -> Images:
        """Raises: ValueError when the rows are of several buckets."""
        found = np.unique(self.of[rows])
        if len(found) != 1:
            raise ValueError(f"a batch must be of one bucket, but got images of {len(found)}.")
        return self.buckets[int(found[0])]

    def area(self, bucket: int) -> int:
        """Pixels of an image of a bucket."""
        height, width, _ = self.buckets[bucket].normaliser.shape
        return height * width


@dataclass(frozen=True, eq=False)
class Features:
    """Where batches of encoded table rows come from."""

    values: Tensor

    def training(self, rows: Rows, step: int) -> Tensor:
        """Features of these rows."""
        return self.evaluation(rows)

    def evaluation(self, rows: Rows) -> Tensor:
        """Features of these rows."""
        return self.values.index_select(0, sent(torch.from_numpy(rows), self.values.device))


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of one part of the data: shuffled and changed for training, in order and plain for evaluation."""

    source: Images | BucketedImages | Features
    targets: Tensor
    """One entry for each sample of the data set, on the device."""
    rows: Rows
    """The samples of this part."""
    order: Order | BucketOrder
    mixer: Mixer | None = None
    """What blends training samples with each other."""

    @classmethod
    def of_images(
        cls,
        pixels: npt.NDArray[np.generic],
        rows: Rows,
        targets: Tensor,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        augment: Augment | None,
        own: Sequence[Own] = (),
        batch: int,
        device: torch.device,
        channels_last: bool,
        seed: int,
        name: str,
        classes: int = 0,
    ) -> "Batches":
        """Of images (m, h, w, c), uint8, uint16 or float32, in memory or memory-mapped.

        `rows` picks the part from both `pixels` and `targets`, which have one entry for each sample of the data set.
        `mean` and `std` are per channel, in stored units. `classes`: of single-label
        targets, where samples are blended. On a GPU the pixels live on the device when they fit in half
        of its free memory. Raises: ValueError when lengths, types or numbers of channels do not fit.
        """
        _fits(len(pixels), rows, targets)
        augmenter = None if augment is None else Augmenter(augment, tuple(own))
        source = _images(pixels, mean, std, augmenter, device, channels_last, seed, name)
        order = Order(rows, min(batch, len(rows)), seed, name)
        return cls(source, targets.to(device), rows, order, _mixer(augment, classes, seed, name))

    @classmethod
    def of_buckets(
        cls,
        images: BucketPixels,
        rows: Rows,
        targets: Tensor,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        augment: Augment | None,
        own: Sequence[Own] = (),
        batch: int,
        device: torch.device,
        channels_last: bool,
        seed: int,
        name: str,
        classes: int = 0,
    ) -> "Batches":
        """Of images in buckets, otherwise as `of_images`: every batch is of one bucket, the last of a part as well."""
        _fits(len(images.of), rows, targets)
        augmenter = None if augment is None else Augmenter(augment, tuple(own))
        source = BucketedImages(
            tuple(_images(one, mean, std, augmenter, device, channels_last, seed, name) for one in images.pixels),
            images.of,
            images.place,
        )
        order = BucketOrder.of(rows, images.of[rows], min(batch, len(rows)), seed, name)
        return cls(source, targets.to(device), rows, order, _mixer(augment, classes, seed, name))

    @classmethod
    def of_features(
        cls,
        features: npt.NDArray[np.float32],
        rows: Rows,
        targets: Tensor,
        *,
        batch: int,
        device: torch.device,
        seed: int,
        name: str,
    ) -> "Batches":
        """Of features (m, d), float32; `rows` picks the part from both `features` and `targets`.

        Raises: ValueError when lengths or types do not fit.
        """
        _fits(len(features), rows, targets)
        if features.ndim != 2 or features.dtype != np.float32:
            raise ValueError(f"features must be float32 (samples, d), but got {features.dtype} {features.shape}.")
        values = torch.from_numpy(np.array(features, order="C")).to(device)
        return cls(Features(values), targets.to(device), rows, Order(rows, min(batch, len(rows)), seed, name))

    def __len__(self) -> int:
        """How many samples this part has."""
        return len(self.rows)

    def training_batch(self, step: int) -> Batch:
        """The batch of optimiser step `step` (from 0), the same whenever it is asked for.

        Epochs are shuffled from the stream (seed, "order", name, epoch), random changes drawn from (seed, "augment",
        name, step); a batch that reaches the end of an epoch goes on into the next. Of images in buckets see
        `BucketOrder`.
        """
        rows = self.order.at(step)
        batch = self._batch(self.source.training(rows, step), rows)
        if self.mixer is None:
            return batch
        inputs, targets = self.mixer(batch.inputs, batch.targets, step)
        return Batch(inputs, targets, batch.rows)

    def at_side(self, side: int) -> "Batches":
        """The same batches with training images of another size: `side` pixels on the shorter side.

        Raises: TypeError when the samples are no images.
        """
        if not isinstance(self.source, Images):
            raise TypeError("only images have a size.")
        return replace(self, source=replace(self.source, side=side))

    def evened(self, classes: Rows, power: float) -> "Batches":
        """The same samples, each class drawn by its size raised to `power`; `classes` has one entry a row."""
        return replace(self, order=self.order.evened(classes, power))

    def drawn_by(self, seed: int) -> "Batches":
        """The same samples in the order of another seed; their random changes stay those of the first one."""
        return replace(self, order=self.order.drawn_by(seed))

    def of_rows(self, rows: Rows) -> "Batches":
        """Other samples of the data set, out of the same store, for evaluation."""
        return replace(self, rows=rows)

    def largest(self) -> "Batches":
        """The samples of the bucket whose batches take most memory; all where there are no buckets."""
        return self._bucket(lambda areas: int(areas.argmax()))

    def typical(self) -> "Batches":
        """The samples of the bucket whose images are nearest to the mean number of pixels; all without buckets."""
        return self._bucket(lambda areas: int(np.abs(areas - np.average(areas, weights=self._counts())).argmin()))

    def evaluation_places(self, size: int) -> Iterator[Rows]:
        """Places in `rows` of samples that are evaluated together, at most `size`; bucket by bucket, each in order."""
        places = np.arange(len(self.rows))
        groups = [places]
        if isinstance(self.source, BucketedImages):
            buckets = self.source.of[self.rows]
            groups = [places[buckets == one] for one in np.unique(buckets)]
        for group in groups:
            for first in range(0, len(group), size):
                yield group[first : first + size]

    def evaluation_batches(self, size: int) -> Iterator[Batch]:
        """All samples of this part once, unchanged, as `evaluation_places` groups them; in order without buckets."""
        for places in self.evaluation_places(size):
            rows = self.rows[places]
            yield self._batch(self.source.evaluation(rows), rows)

    def _bucket(self, choose: Callable[[npt.NDArray[np.float64]], int]) -> "Batches":
        """The training samples of one bucket, chosen by the pixels of an image of each that has some."""
        if not isinstance(self.source, BucketedImages) or not isinstance(self.order, BucketOrder):
            return self
        areas = [self.source.area(int(self.source.of[order.rows[0]])) for order in self.order.orders]
        order = self.order.orders[choose(np.array(areas, np.float64))]
        return replace(self, rows=order.rows, order=order)

    def _counts(self) -> list[int]:
        orders = self.order.orders if isinstance(self.order, BucketOrder) else (self.order,)
        return [len(order.rows) for order in orders]

    def _batch(self, inputs: Tensor, rows: Rows) -> Batch:
        indices = torch.from_numpy(rows)
        there = sent(indices, self.targets.device)
        return Batch(inputs, self.targets.index_select(0, there), indices)


def _images(
    pixels: npt.NDArray[np.generic],
    mean: Sequence[float],
    std: Sequence[float],
    augmenter: Augmenter | None,
    device: torch.device,
    channels_last: bool,
    seed: int,
    name: str,
) -> Images:
    _, height, width, channels = pixels.shape
    normaliser = Normaliser.of(mean, std, (height, width, channels), device=device, channels_last=channels_last)
    return Images(PixelStore.of(pixels, device), normaliser, augmenter, seed, name)


def _mixer(augment: Augment | None, classes: int, seed: int, name: str) -> Mixer | None:
    if augment is None or not (augment.mixup or augment.cutmix):
        return None
    return Mixer(augment.mixup, augment.cutmix, classes, seed, name)


def _fits(samples: int, rows: Rows, targets: Tensor) -> None:
    if len(targets) != samples:
        raise ValueError(
            f"targets must have one entry for each of the {samples} samples that `rows` picks from, got {len(targets)}."
        )
    if rows.dtype != np.int64 or rows.ndim != 1 or len(rows) == 0:
        raise ValueError(f"rows must be int64 (n,) with n >= 1, but got {rows.dtype} {rows.shape}.")
    if rows.min() < 0 or rows.max() >= samples:
        raise ValueError(f"rows must lie in 0 .. {samples - 1}, but got {rows.min()} .. {rows.max()}.")
