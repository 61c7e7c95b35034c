"""Images with masks made ready for training: mapped from disk, resampled where the plan asks for it, scaled."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from fieldcraft.build.loss import Counts
from fieldcraft.build.mask_network import Wants
from fieldcraft.build.patches import build_look, build_shape
from fieldcraft.data.case_store import CaseStore
from fieldcraft.data.cases import Case, Cases, Ids
from fieldcraft.data.dataset import Dataset, Part
from fieldcraft.data.intensities import HIGH, LOW, Scaling
from fieldcraft.data.patches.loader import PatchBatches
from fieldcraft.data.patches.volume import Volume
from fieldcraft.data.spacing import orders_for, resampled, resampled_mask, shape_at
from fieldcraft.data.splits import Parts
from fieldcraft.data.store_cases import stored
from fieldcraft.errors import RunError
from fieldcraft.plan.masks import PatchInput
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.masks.pair import Labels, MaskPair
from fieldcraft.records.streams import stream_seed

LOOKED_AT = 20_000
"""Voxels of a case that the scaling of a set is taken from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskSamples:
    """A data set of images with masks, parted, at the spacing that networks see."""

    dataset: Dataset
    parts: Parts
    store: CaseStore
    """As the files have them."""
    sample: PatchInput
    cache: Path
    """Where resampled cases are kept."""
    digest: str
    """Of the contents."""
    rolled: bool = False
    """Whether training masks are moved by half of their sides, so that what they say is wrong."""
    _volumes: dict[int, Volume] = field(default_factory=dict, repr=False)
    _of_set: list[Scaling] = field(default_factory=list, repr=False)
    """One at most. Both are kept where the same cases are taken with another patch."""

    @property
    def cases(self) -> Cases:
        """What is known of them without reading."""
        inputs = self.dataset.inputs
        assert isinstance(inputs, Cases)
        return inputs

    @property
    def spatial(self) -> int:
        """How many axes they have."""
        return len(self.sample.patch)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a patch as the network sees it: (channels, *patch)."""
        return self.sample.channels, *self.sample.patch

    @property
    def outputs(self) -> int:
        """Classes, the background counted."""
        return len(self.dataset.targets.names)

    def ids(self, part: Part) -> tuple[str, ...]:
        """Names of the cases of a part."""
        return tuple(self.dataset.ids[row] for row in self.parts.rows(part))

    def case(self, row: int) -> Case:
        """Where a case lies."""
        return self.cases.cases[row]

    def group(self, row: int) -> str:
        """The group of a case, or its own name."""
        return str(self.dataset.groups[row]) if self.dataset.groups is not None else self.dataset.ids[row]

    def pair(self, row: int, predicted: Labels) -> MaskPair:
        """Truth and prediction of a case on its own grid."""
        return MaskPair(
            name=self.dataset.ids[row],
            truth=self.truth(row),
            predicted=predicted,
            spacing=self.case(row).geometry.spacing,
            group=self.group(row),
        )

    def truth(self, row: int) -> Ids:
        """The mask of a case on its own grid."""
        return self.store.mask(row)

    def spacing(self, row: int) -> tuple[float, ...]:
        """Between voxels of the network's grid."""
        return self.sample.spacing or self.case(row).geometry.spacing

    def image(self, row: int) -> npt.NDArray[np.generic]:
        """(channels, *spatial) on the network's grid, in stored units."""
        if not self.sample.spacing:
            return self.store.images[row]
        return self._resampled(row)[0]

    def scaling(self, row: int) -> Scaling:
        """How intensities of a case are brought to what networks see."""
        return scaling_of(self.image(row), self.sample, self.of_set)

    def volume(self, row: int) -> Volume:
        """Image and mask on the network's grid, with the places of the classes, to be trained on."""
        if row not in self._volumes:
            mask = self._resampled(row)[1] if self.sample.spacing else self.store.masks[row]
            assert mask is not None
            if self.rolled:
                mask = np.roll(mask, [side // 2 for side in mask.shape], axis=tuple(range(mask.ndim)))
            name = self.dataset.ids[row]
            self._volumes[row] = Volume.of(name, self.image(row), mask, self.scaling(row))
        return self._volumes[row]

    def volumes(self, part: Part) -> tuple[Volume, ...]:
        """All of a part."""
        return tuple(self.volume(int(row)) for row in self.parts.rows(part))

    @property
    def of_set(self) -> Scaling:
        """One scaling for all cases, from foreground voxels of the training part; found once."""
        if not self._of_set:
            self._of_set.append(self._scaling_of_set())
        return self._of_set[0]

    def _scaling_of_set(self) -> Scaling:
        found = [_foreground(self.store.images[row], self.store.mask(int(row)), int(row)) for row in self.parts.train]
        values = np.concatenate(found, axis=1).astype(np.float64)
        low, high = np.percentile(values, [LOW, HIGH], axis=1)
        clipped = values.clip(low[:, None], high[:, None])
        return Scaling(
            tuple(map(float, low)),
            tuple(map(float, high)),
            tuple(map(float, clipped.mean(axis=1))),
            tuple(map(float, clipped.std(axis=1))),
        )

    def counts(self) -> Counts:
        """Training voxels of each class."""
        each = np.zeros(self.outputs, np.int64)
        for row in self.parts.train:
            mask = self.truth(int(row))
            each += np.bincount(mask[mask >= 0].ravel(), minlength=self.outputs)
        return Counts(each=tuple(map(int, each)), total=int(each.sum()))

    def batches(
        self, plan: Plan, device: torch.device, wants: Wants, *, name: str, seed: int | None = None
    ) -> PatchBatches:
        """Training patches as a network wants them, from the streams of `name` and of `seed`, by default the plan's."""
        sample = self.sample
        typical = np.median([self.spacing(int(row)) for row in self.parts.train], axis=0)
        return PatchBatches.of(
            self.volumes("train"),
            patch=wants.patch(sample.patch),
            batch=plan.batch.size,
            foreground=sample.foreground,
            seed=plan.seed if seed is None else seed,
            name=name,
            shape=build_shape(sample.augment),
            look=build_look(sample.augment),
            spacing=tuple(map(float, typical)),
            context=wants.context,
            device=device,
            channels_last=plan.execution.channels_last,
        )

    def _resampled(self, row: int) -> tuple[npt.NDArray[np.float32], Ids]:
        """Image and mask at the plan's spacing, made once and mapped from then on."""
        own = self.case(row).geometry
        key = stream_seed(0, "resampled", repr((own, self.sample.spacing, self.case(row), self.digest)))
        paths = self.cache / f"resampled-{key}.npy", self.cache / f"resampled-mask-{key}.npy"
        found = _mapped(paths)
        if found is None:
            shape = shape_at(own.shape, own.spacing, self.sample.spacing)
            _kept(paths[0], resampled(self.store.image(row), shape, orders_for(own.spacing)))
            _kept(paths[1], resampled_mask(self.truth(row), shape).astype(np.int16))
            found = _mapped(paths)
        assert found is not None
        return found


def scaling_of(image: npt.NDArray[np.generic], sample: PatchInput, of_set: Scaling) -> Scaling:
    """As the plan says: by the case, by the set, or none."""
    match sample.normalise:
        case "case":
            return Scaling.of_case(image)
        case "set":
            return of_set
        case "none":
            return Scaling.none(len(image))


def ready_masks(dataset: Dataset, parts: Parts, plan: Plan, cache: Path, digest: str) -> MaskSamples:
    """Read every case once into a file that is mapped; what is resampled and scaled is so when it is asked for.

    Raises: DataError naming the case that cannot be read.
    """
    assert isinstance(dataset.inputs, Cases) and isinstance(plan.input, PatchInput)
    return MaskSamples(
        dataset=dataset, parts=parts, store=stored(dataset.inputs, cache), sample=plan.input, cache=cache, digest=digest
    )


def levels_of(net: nn.Module) -> tuple[tuple[int, ...], ...]:
    """Strides of the levels at which a network answers in training; empty where it answers once."""
    strides: tuple[tuple[int, ...], ...] = getattr(net, "output_strides", ())
    return strides if len(strides) > 1 else ()


def _foreground(image: npt.NDArray[np.generic], mask: Ids, row: int) -> npt.NDArray[np.generic]:
    """(channels, n): some voxels of any class but the background; of all voxels where there are none."""
    places = np.flatnonzero(mask.ravel() > 0)
    places = places if len(places) else np.arange(mask.size)
    if len(places) > LOOKED_AT:
        random = np.random.default_rng(stream_seed(0, "scaling", "set", row))
        places = np.sort(random.choice(places, LOOKED_AT, replace=False))
    return image.reshape(len(image), -1)[:, places]


def _mapped(paths: tuple[Path, Path]) -> tuple[npt.NDArray[np.float32], Ids] | None:
    """What was kept of a case; None where it is not there, or damaged: then it is made anew."""
    try:
        return np.load(paths[0], mmap_mode="r"), np.load(paths[1], mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None


def _kept(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Raises: RunError when it cannot be written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp.npy")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(beside, array, allow_pickle=False)
        beside.replace(path)
    except OSError as error:
        raise RunError(
            f"cannot keep a resampled case ({array.nbytes / 2**20:,.0f} MiB) at {path}: {error.strerror or error}. "
            "Free some space, and run the same command again."
        ) from error
    finally:
        beside.unlink(missing_ok=True)
