"""Batches for training and evaluation: rows drawn, taken, changed and normalised in one go, without workers."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fieldcraft.data.augment import Augmenter, Own
from fieldcraft.data.mixing import Mixer
from fieldcraft.data.order import Order, Rows
from fieldcraft.data.pixel_store import Normaliser, PixelStore
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
class Features:
    """Where batches of encoded table rows come from."""

    values: Tensor

    def training(self, rows: Rows, step: int) -> Tensor:
        """Features of these rows."""
        return self.evaluation(rows)

    def evaluation(self, rows: Rows) -> Tensor:
        """Features of these rows."""
        return self.values.index_select(0, torch.from_numpy(rows).to(self.values.device, non_blocking=True))


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of one part of the data: shuffled and changed for training, in order and plain for evaluation."""

    source: Images | Features
    targets: Tensor
    """One entry for each sample of the data set, on the device."""
    rows: Rows
    """The samples of this part."""
    order: Order
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
        store = PixelStore.of(pixels, device)
        _, height, width, channels = pixels.shape
        normaliser = Normaliser.of(mean, std, (height, width, channels), device=device, channels_last=channels_last)
        augmenter = None if augment is None else Augmenter(augment, tuple(own))
        source = Images(store, normaliser, augmenter, seed, name)
        mixes = augment is not None and bool(augment.mixup or augment.cutmix)
        mixer = Mixer(augment.mixup, augment.cutmix, classes, seed, name) if augment is not None and mixes else None
        return cls(source, targets.to(device), rows, Order(rows, min(batch, len(rows)), seed, name), mixer)

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
        name, step); a batch that reaches the end of an epoch goes on into the next.
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
        return replace(self, order=replace(self.order, classes=classes, power=power, _epochs={}))

    def drawn_by(self, seed: int) -> "Batches":
        """The same samples in the order of another seed; their random changes stay those of the first one."""
        return replace(self, order=replace(self.order, seed=seed, _epochs={}))

    def evaluation_batches(self, size: int) -> Iterator[Batch]:
        """All samples of this part once, in order, unchanged, `size` at a time; the last batch may be smaller."""
        for first in range(0, len(self.rows), size):
            rows = self.rows[first : first + size]
            yield self._batch(self.source.evaluation(rows), rows)

    def _batch(self, inputs: Tensor, rows: Rows) -> Batch:
        indices = torch.from_numpy(rows)
        there = indices.to(self.targets.device, non_blocking=True)
        return Batch(inputs, self.targets.index_select(0, there), indices)


def _fits(samples: int, rows: Rows, targets: Tensor) -> None:
    if len(targets) != samples:
        raise ValueError(
            f"targets must have one entry for each of the {samples} samples that `rows` picks from, got {len(targets)}."
        )
    if rows.dtype != np.int64 or rows.ndim != 1 or len(rows) == 0:
        raise ValueError(f"rows must be int64 (n,) with n >= 1, but got {rows.dtype} {rows.shape}.")
    if rows.min() < 0 or rows.max() >= samples:
        raise ValueError(f"rows must lie in 0 .. {samples - 1}, but got {rows.min()} .. {rows.max()}.")
