"""All facts of images with masks, from the headers of all cases and the voxels of as many as there is time for."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Case, Cases
from fieldcraft.data.images import Unreadable
from fieldcraft.errors import DataError
from fieldcraft.fingerprint.cases.mirrors import mirrors
from fieldcraft.fingerprint.cases.one_case import DRAWN, OneCase, one_case
from fieldcraft.records.fact import Fact
from fieldcraft.records.segmentation import CaseFacts, ClassFacts, Intensity, Spread
from fieldcraft.records.streams import stream_seed

LIMIT_S = 30.0
"""For reading cases, where no budget says less."""
LEAST = 4
"""Cases that are read however little time there is."""
MIB = 2**20

Numbers = npt.NDArray[Any]


def case_facts(
    inputs: Cases,
    train: npt.NDArray[np.int64],
    *,
    limit_s: float = LIMIT_S,
    clock: Callable[[], float] = perf_counter,
) -> CaseFacts:
    """Facts of the training cases; shapes, spacings and memory of all.

    Cases are read in an order by lot until the time is over; each fact says how many were.
    Raises: DataError when none of them can be read.
    """
    looked = _read(inputs, train, limit_s, clock)
    geometries = [case.geometry for case in inputs.cases]
    shapes = np.array([one.shape for one in geometries], np.float64)
    spacings = np.array([one.spacing for one in geometries], np.float64)
    everything = f"all {len(inputs):,} cases"
    sample = f"{len(looked):,} of {len(train):,} training cases" if len(looked) < len(train) else (
        f"all {len(train):,} training cases"
    )  # fmt: skip
    if any(one.step > 1 for one in looked):
        sample += f", large ones at every {max(one.step for one in looked)}th voxel along each axis"
    middle = np.median(spacings, axis=0)
    sizes = np.array([_mib(case, inputs.channels) for case in inputs.cases])
    drawn = f"up to {DRAWN:,} voxels a case, drawn by lot"
    foreground = [np.concatenate(list(one.within.values()), axis=1) for one in looked if one.within]
    total, void = sum(one.voxels for one in looked), sum(one.void for one in looked)
    return CaseFacts(
        spatial=inputs.spatial,
        channels=inputs.channels,
        channel_names=inputs.channel_names,
        unit=geometries[0].unit,
        orientations=tuple(sorted({one.orientation for one in geometries if one.orientation})),
        shape=Fact(value=_spreads(shapes), method="headers of the files", sample=everything),
        spacing=Fact(value=_spreads(spacings), method="headers of the files", sample=everything),
        anisotropy=Fact(
            value=float(middle.max() / middle.min()),
            method="largest median spacing over the smallest",
            sample=everything,
        ),
        intensity=Fact(value=_intensities([one.everywhere for one in looked]), method=drawn, sample=sample),
        foreground=Fact(value=_intensities(foreground), method=f"{drawn}, of each class", sample=sample),
        classes=Fact(
            value=tuple(_class(looked, inputs, one) for one in range(inputs.classes)),
            method="connected objects of the masks, by faces, edges and corners",
            sample=sample,
        ),
        void=Fact(value=void / max(1, total + void), method="counted in the masks", sample=sample),
        mirrors=Fact(
            value=mirrors(looked, inputs.table.names, inputs.spatial),
            method="sides, sizes and intensities of the classes",
            sample=sample,
        ),
        memory_mib=Fact(
            value=float(sizes.sum()), method="images as float32 and masks as bytes, from headers", sample=everything
        ),
        largest_mib=Fact(value=float(sizes.max()), method="the same of the largest case", sample=everything),
        scales=_scales(looked, sample),
        within_volume=inputs.within_volume,
    )


def _scales(looked: Sequence[OneCase], sample: str) -> Fact[tuple[float, ...]] | None:
    if len(looked) < 2:
        return None
    within = np.array([one.everywhere.std(axis=1, dtype=np.float64) for one in looked])
    low, high = np.percentile(within, (10, 90), axis=0)
    ratios = tuple(float(ratio) for ratio in high / np.maximum(low, 1e-12))
    return Fact(value=ratios, method="90th over 10th percentile of the deviations of the cases", sample=sample)


def _read(
    inputs: Cases, train: npt.NDArray[np.int64], limit_s: float, clock: Callable[[], float]
) -> tuple[OneCase, ...]:
    began = clock()
    order = np.random.default_rng(stream_seed(0, "fingerprint", "cases")).permutation(np.sort(train))
    found: list[OneCase] = []
    reasons: list[str] = []
    for row in order.tolist():
        if len(found) >= LEAST and clock() - began >= limit_s:
            break
        case = inputs.cases[row]
        try:
            found.append(one_case(case, inputs))
        except Unreadable as error:
            reasons.append(f"{case.name}: {error}")
    if not found:
        raise DataError(f"none of the {len(train)} training cases can be read ({'; '.join(reasons[:3])}).")
    return tuple(found)


def _class(looked: Sequence[OneCase], inputs: Cases, one: int) -> ClassFacts:
    there = [case for case in looked if one in case.classes]
    total = sum(case.voxels for case in looked)
    apart = [case for case in there if len(case.classes[one].extents)]
    extents = [case.classes[one].extents * case.step for case in apart]
    mm = [case.classes[one].extents * np.array(case.spacing) for case in apart]
    centres = np.array([case.classes[one].centre for case in there])
    return ClassFacts(
        name=inputs.table.names[one],
        share=sum(case.classes[one].voxels for case in there) / max(1, total),
        cases=len(there) / len(looked),
        objects=_spread(np.array([len(sides) for sides in extents])) if extents else None,
        extent_px=_spreads(np.concatenate(extents)) if extents else (),
        extent_mm=_spreads(np.concatenate(mm)) if mm else (),
        boundary=float(np.median([case.classes[one].boundary for case in there])) if there else None,
        intensity=_intensities([case.within[one] for case in there if one in case.within]),
        centre=tuple(float(value) for value in centres.mean(axis=0)) if there else (),
        centre_std=tuple(float(value) for value in centres.std(axis=0)) if there else (),
    )


def _intensities(drawn: Sequence[Numbers]) -> tuple[Intensity, ...]:
    """An entry a channel; voxels that are no numbers are left out."""
    if not drawn:
        return ()
    found = []
    for channel in np.concatenate(drawn, axis=1).astype(np.float64):
        values = channel[np.isfinite(channel)]
        if not len(values):
            values = np.zeros(1)
        low, median, high = np.percentile(values, (0.5, 50, 99.5))
        found.append(
            Intensity(
                mean=float(values.mean()),
                std=float(values.std()),
                low=float(low),
                median=float(median),
                high=float(high),
            )
        )
    return tuple(found)


def _spreads(values: Numbers) -> tuple[Spread, ...]:
    """(n, axes) -> an entry an axis."""
    return tuple(_spread(column) for column in values.T)


def _spread(values: Numbers) -> Spread:
    least, low, median, high, most = np.percentile(values.astype(np.float64), (0, 10, 50, 90, 100))
    return Spread(least=float(least), low=float(low), median=float(median), high=float(high), most=float(most))


def _mib(case: Case, channels: int) -> float:
    return case.geometry.voxels * (4 * channels + 1) / MIB
