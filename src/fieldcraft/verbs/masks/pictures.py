"""Slices for the report: the image, what is there, and what was predicted, where the two differ most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.prediction.masks.model import PredictedMask
from fieldcraft.prediction.masks.pair import VOID, Labels

LONGEST = 512
"""Pixels a side of a slice that is kept; larger ones are thinned out."""
Plane = npt.NDArray[np.generic]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One slice of a case."""

    name: str
    score: float
    """Mean Dice of the case."""
    image: Plane
    """(height, width), uint8."""
    truth: Plane
    """(height, width), class ids; -1: void."""
    predicted: Plane
    uncertainty: Plane
    """(height, width), uint8: 255 is as unsure as can be."""
    where: str
    """Which slice it is, in words."""
    axes: tuple[int, int]
    """Of the case, down and across."""
    step: int
    """Voxels from one pixel to the next."""

    @classmethod
    def of(
        cls, image: npt.NDArray[np.generic], truth: Labels, said: PredictedMask, *, name: str, score: float
    ) -> "Shown":
        """The slice of a case with the most wrong voxels; of series, one row."""
        wrong = (truth != said.mask) & (truth != VOID)
        index, axes, where = _slice(wrong, truth)
        step = max(1, -(-max(truth.shape[axis] for axis in axes) // LONGEST))
        channel = np.asarray(image[0], np.float32)
        low, high = np.percentile(channel, [0.5, 99.5])
        grey = ((channel[index] - low) / max(float(high - low), 1e-12) * 255).clip(0, 255).astype(np.uint8)
        return cls(
            name=name,
            score=score,
            image=_plane(grey, step),
            truth=_plane(np.asarray(truth[index], np.int16), step),
            predicted=_plane(said.mask[index], step),
            uncertainty=_plane((said.uncertainty[index] * 255).round().astype(np.uint8), step),
            where=where,
            axes=axes,
            step=step,
        )


def shown_cases(cases: Sequence[Shown]) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays for `thumbnails.npz`, the worst case first."""
    ordered = sorted(cases, key=lambda one: one.score)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "case_ids": np.array([one.name for one in ordered]),
        "case_scores": np.array([one.score for one in ordered]),
        "case_slices": np.array([one.where for one in ordered]),
        "case_axes": np.array([one.axes for one in ordered]),
        "case_steps": np.array([one.step for one in ordered]),
    }
    for place, one in enumerate(ordered):
        arrays |= {
            f"case_{place}_image": one.image,
            f"case_{place}_truth": one.truth,
            f"case_{place}_predicted": one.predicted,
            f"case_{place}_uncertainty": one.uncertainty,
        }
    return arrays


def _slice(wrong: npt.NDArray[np.bool_], truth: Labels) -> tuple[tuple[slice | int, ...], tuple[int, int], str]:
    """The plane across the shortest axis that has the most wrong voxels, or else the most foreground."""
    if wrong.ndim < 3:
        return (slice(None),) * wrong.ndim, (0, wrong.ndim - 1), "all of it"
    axis = int(np.argmin(wrong.shape))
    others = tuple(other for other in range(wrong.ndim) if other != axis)
    counts = wrong.sum(axis=others) if wrong.any() else (np.asarray(truth) > 0).sum(axis=others)
    place = int(np.argmax(counts))
    index = tuple(place if other == axis else slice(None) for other in range(wrong.ndim))
    return index, (others[0], others[1]), f"slice {place} of {wrong.shape[axis]} along axis {axis}"


def _plane(values: Plane, step: int) -> Plane:
    """Two axes, every `step`th voxel."""
    flat = values if values.ndim == 2 else values[None]
    return np.ascontiguousarray(flat[::step, ::step])
