"""Samples made ready for training: pixels of one size or encoded rows, targets as the loss wants them."""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fieldcraft.build.augment import build_own_augmentations
from fieldcraft.build.loss import Counts
from fieldcraft.data.buckets import BucketPixels, decode_buckets
from fieldcraft.data.dataset import Dataset, Part, Table
from fieldcraft.data.loader import Batches
from fieldcraft.data.memory import decode
from fieldcraft.data.order import Rows
from fieldcraft.data.splits import Parts
from fieldcraft.data.table_encoder import TableEncoder
from fieldcraft.errors import PlanError
from fieldcraft.nn.losses.imbalance import POWER
from fieldcraft.plan.schema import Cnn, ImageInput, Linear, Mlp, Plan, ResNet, TableInput

STATISTICS = 10_000  # training images that mean and deviation are taken from


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """A data set, parted and turned into numbers."""

    dataset: Dataset
    parts: Parts
    pixels: npt.NDArray[np.generic] | None
    """(n, height, width, channels) for images."""
    features: npt.NDArray[np.float32] | None
    """(n, width) for tables."""
    encoder: TableEncoder | None
    mean: tuple[float, ...]
    """Of each channel over the training part, in stored units; empty for tables."""
    std: tuple[float, ...]
    target_mean: tuple[float, ...]
    """Of each regression target over the training part; empty otherwise."""
    target_std: tuple[float, ...]
    bucketed: BucketPixels | None = None
    """The same images for networks, where the plan has buckets."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample as the network sees it: (channels, height, width) or (features,)."""
        if self.pixels is not None:
            _, height, width, channels = self.pixels.shape
            return channels, height, width
        assert self.features is not None
        return (self.features.shape[1],)

    @property
    def outputs(self) -> int:
        """Numbers that a network must give."""
        return len(self.dataset.targets.names)

    @cached_property
    def full_scale(self) -> float:
        """The largest value that stored pixels can have; for floats and small ranges, the largest in training."""
        assert self.pixels is not None
        train = self.parts.train
        some = self.pixels[np.sort(train)[:: max(1, len(train) // 1000)]]
        if self.pixels.dtype == np.uint16:
            return 65535.0
        if self.pixels.dtype == np.uint8 and some.max() > 127:
            return 255.0
        return max(float(np.abs(some).max()), 1e-6)

    def truth(self, part: Part) -> npt.NDArray[np.generic]:
        """Targets of a part as they came: classes, labels or numbers in their own units."""
        return self.dataset.targets.values[self.parts.rows(part)]

    def groups(self, part: Part) -> npt.NDArray[np.str_] | None:
        """Group of each sample of a part, or None."""
        return None if self.dataset.groups is None else self.dataset.groups[self.parts.rows(part)]

    def ids(self, part: Part) -> tuple[str, ...]:
        """Names of the samples of a part."""
        return tuple(self.dataset.ids[row] for row in self.parts.rows(part))

    def flat(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """(rows, numbers) for baselines: encoded columns, or pixels divided by their largest possible value."""
        if self.features is not None:
            return self.features[rows]
        assert self.pixels is not None
        pixels = self.pixels[rows].reshape(len(rows), -1).astype(np.float32)
        return pixels / self.full_scale

    def batches(self, part: Part, plan: Plan, device: torch.device, *, name: str = "", augment: bool) -> Batches:
        """Batches of a part, drawn from the streams of `name`."""
        rows = self.parts.rows(part)
        found = self._batches(rows, plan, device, name, augment)
        if not augment or plan.batch.sampling == "none":
            return found
        if plan.task.kind != "single-label":
            raise PlanError(
                f'batch.sampling = "{plan.batch.sampling}" needs one class a sample, but the task is '
                f'{plan.task.kind}: set batch.sampling = "none".'
            )
        classes = self.dataset.targets.values[rows].astype(np.int64)
        return found.evened(classes, 1 - POWER[plan.batch.sampling])

    def counts(self) -> Counts | None:
        """Training samples of each class or label; None for regression."""
        values = self.dataset.targets.values[self.parts.train]
        match self.dataset.targets.task:
            case "single-label":
                each = np.bincount(values.astype(np.int64), minlength=self.outputs)
            case "multi-label":
                each = values.astype(bool).sum(axis=0)
            case "regression":
                return None
        return Counts(each=tuple(map(int, each)), total=len(values))

    def _batches(self, rows: Rows, plan: Plan, device: torch.device, name: str, augment: bool) -> Batches:
        if self.pixels is not None:
            assert isinstance(plan.input, ImageInput)
            if self.bucketed is not None:
                _require_any_size(plan)
            mixes = plan.input.augment.mixup or plan.input.augment.cutmix
            if mixes and plan.task.kind == "regression":
                raise PlanError(
                    "mixup and cutmix blend classes or labels, but the task is regression: set input.augment.mixup = 0 "
                    "and input.augment.cutmix = 0."
                )
            made = (
                partial(Batches.of_images, self.pixels)
                if self.bucketed is None
                else partial(Batches.of_buckets, self.bucketed)
            )
            return made(
                rows,
                self._targets(),
                mean=self.mean,
                std=self.std,
                augment=plan.input.augment if augment else None,
                own=build_own_augmentations(plan.input.augment) if augment else (),
                batch=plan.batch.size,
                device=device,
                channels_last=plan.execution.channels_last,
                seed=plan.seed,
                name=name,
                classes=self.outputs,
            )
        assert self.features is not None
        return Batches.of_features(
            self.features, rows, self._targets(), batch=plan.batch.size, device=device, seed=plan.seed, name=name
        )

    def _targets(self) -> Tensor:
        values = self.dataset.targets.values  # copied below: they may be mapped for reading only
        if self.dataset.targets.task == "single-label":
            return torch.from_numpy(np.array(values, dtype=np.int64))
        if self.dataset.targets.task == "regression":
            values = (values - np.array(self.target_mean)) / np.array(self.target_std)
        return torch.from_numpy(np.array(values, dtype=np.float32))


def _require_any_size(plan: Plan) -> None:
    """Raises: PlanError when a network of the ladder is tied to one size, but the plan has several."""
    for rung in plan.ladder.rungs:
        network = rung.network
        if isinstance(network, Linear | Mlp) or (isinstance(network, Cnn | ResNet) and network.head == "flatten"):
            raise PlanError(
                f"input.buckets need networks for images of any size, but rung {rung.name} takes one: set "
                f"ladder.rungs.{rung.name}.network to a cnn or resnet with a head that pools, or input.buckets = []."
            )


def ready(dataset: Dataset, parts: Parts, plan: Plan, cache: Path) -> Samples:
    """Decode images to the planned size, or encode rows by rules fitted on the training part."""
    task = dataset.targets.task
    train = parts.train
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()
    if task == "regression":
        values = dataset.targets.values[train].astype(np.float64)
        target_mean = tuple(float(value) for value in values.mean(axis=0))
        target_std = tuple(float(value) if value > 0 else 1.0 for value in values.std(axis=0))
    if isinstance(dataset.inputs, Table):
        assert isinstance(plan.input, TableInput)
        encoder = TableEncoder.fit(dataset.inputs, train, plan.input)
        return Samples(
            dataset=dataset, parts=parts, pixels=None, features=encoder.transform(dataset.inputs.frame),
            encoder=encoder, mean=(), std=(), target_mean=target_mean, target_std=target_std,
        )  # fmt: skip
    assert isinstance(plan.input, ImageInput)
    pixels = decode(dataset, height=plan.input.height, width=plan.input.width, cache=cache).pixels
    some = pixels[np.sort(train)[:: max(1, len(train) // STATISTICS)]].astype(np.float64)
    return Samples(
        dataset=dataset, parts=parts, pixels=pixels, features=None, encoder=None,
        mean=tuple(float(value) for value in some.mean(axis=(0, 1, 2))),
        std=tuple(max(float(value), 1e-6) for value in some.std(axis=(0, 1, 2))),
        target_mean=target_mean, target_std=target_std,
        bucketed=decode_buckets(dataset, plan.input.buckets, cache) if plan.input.buckets else None,
    )  # fmt: skip


def in_buckets(samples: Samples, plan: Plan, cache: Path) -> Samples:
    """Samples that are ready at one size, decoded again into the plan's buckets."""
    assert isinstance(plan.input, ImageInput)
    return replace(samples, bucketed=decode_buckets(samples.dataset, plan.input.buckets, cache))


def sizes_of(plan: Plan) -> object:
    """Plans for which this is equal want the same samples."""
    sample = plan.input
    return (sample.height, sample.width, sample.buckets) if isinstance(sample, ImageInput) else sample
