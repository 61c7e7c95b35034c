"""`predictions.parquet`, as far as the report needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as parquet

Values = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Columns of equal length: id, part, truth, prediction, ..."""

    columns: Mapping[str, Values]

    def __len__(self) -> int:
        return len(self.columns["id"])

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def part(self, name: str) -> "Predictions":
        """The rows of one part."""
        chosen = self.columns["part"] == name
        return Predictions({key: values[chosen] for key, values in self.columns.items()})

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column as numbers."""
        return np.asarray(self.columns[name], dtype=np.float64)

    def words(self, name: str, rows: npt.NDArray[np.int64]) -> list[str]:
        """Some rows of a column as text."""
        return [str(value) for value in self.columns[name][rows]]

    def judged(self) -> tuple["Predictions", str]:
        """The rows that errors are shown from, and the name of their part: test, or validation where there is none."""
        test = self.part("test")
        return (test, "test") if len(test) else (self.part("validation"), "validation")

    def named(self, prefix: str) -> tuple[str, ...]:
        """The names behind `prefix:` among the columns."""
        start = f"{prefix}:"
        return tuple(key.removeprefix(start) for key in self.columns if key.startswith(start))


def read_predictions(path: Path) -> Predictions:
    """Read it; probabilities of single classes only where samples carry several labels.

    Raises: ValueError when it has no names of samples or parts.
    """
    names = parquet.read_schema(path).names
    if not {"id", "part"} <= set(names):
        raise ValueError("the columns `id` and `part` are missing")
    several = any(name.startswith("truth:") for name in names)
    wanted = [name for name in names if several or not name.startswith("p:")]
    table = parquet.read_table(path, columns=wanted)
    return Predictions({name: table.column(name).to_numpy(zero_copy_only=False) for name in wanted})
