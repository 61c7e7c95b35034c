"""What all checks look at: the data set, small gray copies of its images, and which samples repeat another."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fieldcraft.data.audit.small_copies import SmallCopies, small_copies
from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset, ImageFiles, Table
from fieldcraft.data.duplicates import first_equal

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """When the looking has to end."""

    at: float | None
    """Reading of `now`, or None for no limit."""
    now: Callable[[], float] = time.monotonic

    def over(self) -> bool:
        """Whether it has passed."""
        return self.at is not None and self.now() >= self.at


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """A data set, and what was found out about it for several checks."""

    dataset: Dataset
    deadline: Deadline

    @cached_property
    def copies(self) -> SmallCopies | None:
        """Small copies of the images, as far as there was time; None for tables."""
        inputs = self.dataset.inputs
        return None if isinstance(inputs, Table | Cases) else small_copies(inputs, self.deadline.over)

    @cached_property
    def first(self) -> Rows:
        """The row of the first sample that equals each."""
        return first_equal(self.dataset)

    @property
    def rows_read(self) -> Rows:
        """Rows whose images were read and can be compared; every row of a table."""
        if self.copies is None:
            return np.arange(len(self.dataset))
        found: Rows = np.flatnonzero(np.isfinite(self.copies.gray).all(axis=(1, 2)))
        return found

    def names(self, rows: Sequence[int] | Rows) -> tuple[str, ...]:
        """The names of some samples."""
        return tuple(self.dataset.ids[int(row)] for row in rows)

    def part(self, row: int) -> str:
        """The given part of a sample, or nothing."""
        return "" if self.dataset.given is None else str(self.dataset.given[row])

    @property
    def what(self) -> str:
        """What the samples are called."""
        inputs = self.dataset.inputs
        return "rows" if isinstance(inputs, Table) else "files" if isinstance(inputs, ImageFiles) else "images"


def may_move(share: float, tested: int) -> bool:
    """Whether a share of the test part that leaked could move a score by more than its own standard error.

    A share s can move a share of hits by s at most; with n test samples its standard error is 0.5 / sqrt(n) at most.
    """
    return share > 0.5 / math.sqrt(max(1, tested))
