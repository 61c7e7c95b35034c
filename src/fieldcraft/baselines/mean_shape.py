"""The mean shape: how often each class is found at each place of the frame; the null where cases are aligned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.data.spacing import nearest, orders_for, resampled
from fieldcraft.errors import DataError

MOST_SIDE = 64
"""Of the grid that shares are kept on."""
LEAST = 1e-4
"""Share that a place has at least of each class: what was never seen is not ruled out."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MeanShape:
    """Shares of the classes over a grid that is stretched to each case's frame."""

    shares: Floats
    """(classes, *grid), summing to 1 over the classes."""

    def logits(self, shape: Sequence[int]) -> Floats:
        """Logarithms of the shares over the frame of a case, (classes, *shape)."""
        linear = orders_for((1.0,) * len(shape), order=1)
        found: Floats = np.log(resampled(self.shares, tuple(shape), linear).clip(LEAST, 1.0))
        return found


def grid_for(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The median shape, no side longer than `MOST_SIDE`."""
    return tuple(int(min(MOST_SIDE, max(1, round(side)))) for side in np.median(np.array(shapes), axis=0))


def fit_mean_shape(masks: Iterable[npt.NDArray[np.integer]], classes: int, grid: Sequence[int]) -> MeanShape:
    """Shares over a grid from masks of any shape, (*spatial) class ids; negative ids (void) count for no class.

    Raises: DataError without masks.
    """
    total = np.zeros((classes, *grid), np.float64)
    count = 0
    for mask in masks:
        small = nearest(mask, tuple(grid))
        for one in range(classes):
            total[one] += small == one
        count += 1
    if not count:
        raise DataError("a mean shape needs at least one mask, but got none.")
    total += 0.5 / classes
    return MeanShape((total / total.sum(axis=0)).astype(np.float32))
