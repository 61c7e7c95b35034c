"""Facts of the samples: what they are, how many, what they look like."""

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles, Table
from fieldcraft.data.duplicates import exact_duplicates
from fieldcraft.data.images import load_image
from fieldcraft.data.splits import Parts
from fieldcraft.records.facts import DataFacts, Fact, ImageFacts, Modality, TableFacts, TargetFacts

LOOKED_AT = 2_000  # images whose intensities are taken
DEPTHS = {1: 8, 2: 16, 4: 32}


def data_facts(dataset: Dataset, parts: Parts, digest: str, encoded_width: int | None = None) -> DataFacts:
    """What is known of a data set before training. `encoded_width`: numbers a row of a table once encoded."""
    everything = f"all {len(dataset):,} samples"
    return DataFacts(
        name=dataset.name,
        digest=digest,
        samples=len(dataset),
        train=len(parts.train),
        validation=len(parts.validation),
        test=len(parts.test),
        grouped=dataset.groups is not None,
        duplicates=Fact(value=exact_duplicates(dataset), method="equal contents, by hash", sample=everything),
        target=_target(dataset, parts),
        inputs=_inputs(dataset, parts, encoded_width),
    )


def _target(dataset: Dataset, parts: Parts) -> TargetFacts:
    targets = dataset.targets
    values = targets.values[parts.train]
    sample = f"all {len(parts.train):,} training samples"
    counts: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    imbalance = spread = None
    if targets.task == "single-label":
        counts = np.bincount(values.astype(np.int64), minlength=len(targets.names))
    elif targets.task == "multi-label":
        counts = values.astype(np.int64).sum(axis=0)
    else:
        deviation = tuple(float(value) for value in values.astype(np.float64).std(axis=0))
        spread = Fact(value=deviation, method="standard deviation", sample=sample)
    if len(counts):
        imbalance = Fact(
            value=float(counts.max() / max(1, counts.min())), method="largest class over smallest", sample=sample
        )
    return TargetFacts(
        task=targets.task,
        outputs=len(targets.names),
        names=targets.names,
        counts=Fact(value=tuple(int(count) for count in counts), method="counted", sample=sample),
        imbalance=imbalance,
        spread=spread,
    )


def _inputs(dataset: Dataset, parts: Parts, encoded_width: int | None) -> Modality:
    match dataset.inputs:
        case Table() as table:
            return _table(table, encoded_width)
        case ImageArray() as array:
            return _images(
                np.tile(np.array([array.pixels.shape[1:3]]), (2, 1)), array.pixels.shape[3],
                DEPTHS[array.pixels.dtype.itemsize], len(dataset), *_statistics(array, parts.train),
            )  # fmt: skip
        case ImageFiles() as files:
            return _images(
                files.sizes, files.channels, files.depth_bits, len(dataset), *_statistics(files, parts.train)
            )


def _images(
    sizes: npt.NDArray[np.int64],
    channels: int,
    depth_bits: int,
    count: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    sample: str,
) -> ImageFacts:
    def three(values: npt.NDArray[np.int64]) -> Fact[tuple[int, int, int]]:
        return Fact(
            value=(int(values.min()), int(np.median(values)), int(values.max())),
            method="smallest, median and largest, from headers or shapes",
            sample=f"all {count:,} images",
        )

    return ImageFacts(
        height=three(sizes[:, 0]),
        width=three(sizes[:, 1]),
        channels=channels,
        depth_bits=depth_bits,
        mean=Fact(value=mean, method="mean of each channel, stored units", sample=sample),
        std=Fact(value=std, method="standard deviation of each channel, stored units", sample=sample),
    )


def _statistics(
    inputs: ImageArray | ImageFiles, train: npt.NDArray[np.int64]
) -> tuple[tuple[float, ...], tuple[float, ...], str]:
    """Mean and deviation of each channel over evenly spaced training images, and what was looked at."""
    if isinstance(inputs, ImageArray):
        rows = np.sort(train)[:: max(1, len(train) // LOOKED_AT)]
        pixels = inputs.pixels[rows].reshape(-1, inputs.pixels.shape[3]).astype(np.float64)
    else:
        rows = np.sort(train)[:: max(1, len(train) // (LOOKED_AT // 10))]
        height, width = (min(96, int(side)) for side in np.median(inputs.sizes, axis=0))
        pixels = np.concatenate(
            [
                load_image(
                    inputs.paths[row], height=height, width=width, channels=inputs.channels, depth_bits=inputs.depth_bits
                ).reshape(-1, inputs.channels)
                for row in rows
            ]
        ).astype(np.float64)
    sample = f"{len(rows):,} of {len(train):,} training images"
    return tuple(map(float, pixels.mean(axis=0))), tuple(map(float, pixels.std(axis=0))), sample


def _table(table: Table, encoded_width: int | None) -> TableFacts:
    roles = [role for _, role in table.roles]
    used = [name for name, role in table.roles if role != "left-out"]
    missing = float(table.frame[used].isna().to_numpy().mean()) if used else 0.0
    return TableFacts(
        numeric=roles.count("numeric"),
        categorical=roles.count("categorical"),
        dates=roles.count("date"),
        left_out=tuple(name for name, role in table.roles if role == "left-out"),
        width=encoded_width if encoded_width is not None else len(used),
        missing=Fact(
            value=missing, method="share of cells without a value", sample=f"all {len(table.frame):,} rows"
        ),
    )
