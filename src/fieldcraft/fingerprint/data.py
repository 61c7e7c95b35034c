"""Facts of a data set: its parts, its target, its images or columns, its repeats."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles, Table, Targets
from fieldcraft.data.duplicates import exact_duplicates
from fieldcraft.data.splits import Parts
from fieldcraft.data.take import take_inputs
from fieldcraft.fingerprint.cases.facts import LIMIT_S, case_facts
from fieldcraft.fingerprint.pixels import channel_moments
from fieldcraft.fingerprint.sizes import common_sizes
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import DataFacts, ImageFacts, TableFacts, TargetFacts
from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.records.streams import stream_seed

MOST_PIXELS = 20_000_000
"""Pixels of the images whose mean and deviation are taken."""
MOST_BYTES = 512 * 2**20
"""Of the samples that are compared with each other."""
MOST_ROWS = 1_000_000
"""Rows of a table that are compared with each other."""
LEAST_SAMPLE = 16

Rows = npt.NDArray[np.int64]


def data_facts(
    dataset: Dataset, parts: Parts, digest: str, encoded_width: int | None = None, limit_s: float = LIMIT_S
) -> DataFacts:
    """What is known of the samples; large sets are looked at in subsamples, which the facts name.

    `encoded_width`: numbers per sample once a table is encoded; needed for tables alone. `limit_s`: for reading images
    with masks; the other facts are quick.
    Raises: DataError when none of the sampled images can be read.
    """
    return DataFacts(
        name=dataset.name,
        digest=digest,
        samples=len(dataset),
        train=len(parts.train),
        validation=len(parts.validation),
        test=len(parts.test),
        grouped=dataset.groups is not None,
        duplicates=_duplicates(dataset),
        target=_target_facts(dataset.targets, parts),
        inputs=_input_facts(dataset, parts, encoded_width, limit_s),
    )


def _input_facts(
    dataset: Dataset, parts: Parts, encoded_width: int | None, limit_s: float
) -> ImageFacts | TableFacts | CaseFacts:
    match dataset.inputs:
        case Table() as table:
            return _table_facts(table, encoded_width)
        case Cases() as cases:
            return case_facts(cases, parts.train, limit_s=limit_s)
        case images:
            return _image_facts(images, parts)


def _target_facts(targets: Targets, parts: Parts) -> TargetFacts:
    if targets.task == "regression":
        train = targets.values[parts.train].astype(np.float64)
        spread = tuple(float(value) for value in train.std(axis=0))
        none: tuple[int, ...] = ()
        return TargetFacts(
            task=targets.task,
            outputs=len(targets.names),
            names=targets.names,
            counts=Fact(value=none, method="regression has no classes", sample="none"),
            imbalance=None,
            spread=Fact(value=spread, method="standard deviation", sample=_all_training(parts)),
        )
    if targets.task == "segmentation":
        in_cases = (targets.values[parts.train] == 1).sum(axis=0)
        return TargetFacts(
            task=targets.task,
            outputs=len(targets.names),
            names=targets.names,
            counts=Fact(
                value=tuple(map(int, in_cases)), method="cases in which the class occurs", sample=_all_training(parts)
            ),
            imbalance=None,
        )
    values = targets.values[parts.train].astype(np.int64)
    single = targets.task == "single-label"
    counts = np.bincount(values, minlength=len(targets.names)) if single else values.sum(axis=0)
    present = counts[counts > 0]
    imbalance = float(present.max() / present.min()) if len(present) else 1.0
    what, seen = "class" if single else "label", _all_training(parts)
    return TargetFacts(
        task=targets.task,
        outputs=len(targets.names),
        names=targets.names,
        counts=Fact(value=tuple(map(int, counts)), method=f"samples of each {what}, counted", sample=seen),
        imbalance=Fact(value=imbalance, method=f"largest {what} over the smallest that occurs", sample=seen),
    )


def _image_facts(inputs: ImageArray | ImageFiles, parts: Parts) -> ImageFacts:
    if isinstance(inputs, ImageArray):
        count, height, width, channels = inputs.pixels.shape
        sizes = np.tile(np.array([[height, width]], np.int64), (count, 1))
        method, depth_bits = "shape of the array", 8 * inputs.pixels.dtype.itemsize
    else:
        count, channels, depth_bits = len(inputs.paths), inputs.channels, inputs.depth_bits
        sizes, method = inputs.sizes, "headers of the files"
    heights, widths = sizes[:, 0], sizes[:, 1]
    everything = f"all {count:,} images"
    rows = _some(parts.train, int(MOST_PIXELS / (np.median(heights) * np.median(widths))), "moments")
    mean, std, read = channel_moments(inputs, rows)
    sample = f"{read:,} of {len(parts.train):,} training images" if read < len(parts.train) else _all_training(parts)
    return ImageFacts(
        height=Fact(value=_range(heights), method=method, sample=everything),
        width=Fact(value=_range(widths), method=method, sample=everything),
        sizes=Fact(value=common_sizes(sizes), method=method, sample=everything),
        channels=channels,
        depth_bits=depth_bits,
        mean=Fact(value=mean, method="mean of each channel, every image counting alike", sample=sample),
        std=Fact(value=std, method="standard deviation of each channel over these images", sample=sample),
    )


def _table_facts(table: Table, encoded_width: int | None) -> TableFacts:
    if encoded_width is None:
        raise ValueError("`encoded_width` must be given for a table: the width of its fitted encoder.")
    by_role = {role: tuple(name for name, its in table.roles if its == role) for _, role in table.roles}
    used = [name for name, role in table.roles if role != "left-out"]
    missing = float(table.frame[used].isna().to_numpy().mean()) if used and len(table.frame) else 0.0
    return TableFacts(
        numeric=len(by_role.get("numeric", ())),
        categorical=len(by_role.get("categorical", ())),
        dates=len(by_role.get("date", ())),
        left_out=by_role.get("left-out", ()),
        width=encoded_width,
        missing=Fact(value=missing, method="share of empty cells in used columns", sample=_all_rows(table)),
    )


def _duplicates(dataset: Dataset) -> Fact[int]:
    """Repeats among all samples, or among so many that they can be read in a few seconds."""
    inputs = dataset.inputs
    if isinstance(inputs, Table):
        room, how = MOST_ROWS, "equal in every used column"
    elif isinstance(inputs, ImageArray):
        room, how = MOST_BYTES * len(inputs.pixels) // max(1, inputs.pixels.nbytes), "equal pixel by pixel"
    elif isinstance(inputs, Cases):
        paths = [source.path for case in inputs.cases for source in case.images if source.path.is_file()]
        each = len(paths) / len(inputs.cases)
        room, how = int(_files_within(paths) / max(each, 1)), "equal files of the image, byte by byte"
    else:
        room, how = _files_within(inputs.paths), "equal files, byte by byte"
    rows = _some(np.arange(len(dataset)), room, "duplicates")
    if len(rows) == len(dataset):
        return Fact(value=exact_duplicates(dataset), method=how, sample=f"all {len(dataset):,} samples")
    some = replace(dataset, inputs=take_inputs(inputs, rows), ids=tuple(dataset.ids[row] for row in rows))
    return Fact(value=exact_duplicates(some), method=how, sample=f"{len(rows):,} of {len(dataset):,} samples")


def _files_within(paths: Sequence[Path]) -> int:
    """How many files, of the size of the first hundred, may be read."""
    sizes = [path.stat().st_size for path in paths[:100]] or [MOST_BYTES]
    return int(MOST_BYTES / max(1.0, float(np.mean(sizes))))


def _some(rows: Rows, most: int, name: str) -> Rows:
    """All rows, or as many as there is room for, drawn from a stream of their own; ascending."""
    most = max(LEAST_SAMPLE, most)
    if len(rows) <= most:
        return rows
    random = np.random.default_rng(stream_seed(0, "fingerprint", name))
    return np.sort(random.choice(rows, most, replace=False))


def _range(sizes: Rows) -> tuple[int, int, int]:
    """Smallest, median, largest."""
    return int(sizes.min()), int(np.median(sizes)), int(sizes.max())


def _all_training(parts: Parts) -> str:
    return f"all {len(parts.train):,} training samples"


def _all_rows(table: Table) -> str:
    return f"all {len(table.frame):,} rows"
