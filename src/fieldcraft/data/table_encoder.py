"""A table's columns as numbers, by rules that were fitted on the training rows and can be written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import TypeAdapter

from fieldcraft.data.column_codes import Categorical, Code, Date, Numeric
from fieldcraft.data.dataset import Table
from fieldcraft.data.near import did_you_mean, listed
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import TableInput
from fieldcraft.records.versions import bring_forward, stamp

CODES: TypeAdapter[tuple[Code, ...]] = TypeAdapter(tuple[Code, ...])


@dataclass(frozen=True)
class TableEncoder:
    """One code a column, side by side."""

    codes: tuple[Code, ...]

    @classmethod
    def fit(cls, table: Table, rows: npt.NDArray[np.int64], plan: TableInput) -> "TableEncoder":
        """Rules from the given rows alone.

        Raises: DataError when no column is left to learn from.
        """
        frame = table.frame.iloc[rows]
        codes: list[Code] = []
        for name, role in table.roles:
            if role == "numeric":
                codes.append(Numeric.fit(frame[name], plan.numeric))
            elif role == "categorical":
                codes.append(Categorical.fit(frame[name], plan.max_levels))
            elif role == "date":
                codes.append(Date.fit(frame[name]))
        if not codes:
            raise DataError(
                f"no column is left to learn from; the table has {listed([name for name, _ in table.roles])}, all left "
                "out (ids, single values, free text). Add columns that say something about the target."
            )
        return cls(tuple(codes))

    def transform(self, frame: pd.DataFrame) -> npt.NDArray[np.float32]:
        """Rows as numbers. Shape: (rows, width). What cannot be read counts as missing.

        Raises: DataError listing the columns that are missing.
        """
        have = {str(column): place for place, column in enumerate(frame.columns)}
        missing = [code.column for code in self.codes if code.column not in have]
        if missing:
            near = did_you_mean(missing[0], have.keys() - {code.column for code in self.codes})
            raise DataError(
                f"the table lacks {len(missing)} column(s) that the model was trained on: {listed(missing)}.{near} "
                f"It has: {listed(have)}."
            )
        out = np.empty((len(frame), self.width), np.float32)
        start = 0
        for code in self.codes:
            block = code.transform(frame.iloc[:, have[code.column]])
            out[:, start : start + block.shape[1]] = block
            start += block.shape[1]
        return out

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the encoded columns, such as "age", "colour=red", "seen:year"."""
        return tuple(name for code in self.codes for name in code.names)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The column of the table that each encoded column is made of."""
        return tuple(code.column for code in self.codes for _ in code.names)

    @property
    def width(self) -> int:
        """Numbers a row."""
        return len(self.names)

    def to_document(self) -> dict[str, Any]:
        """As plain values for JSON; nothing is rounded."""
        return stamp("table-encoder", {"codes": CODES.dump_python(self.codes, mode="json")})

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "TableEncoder":
        """The encoder that was written. Raises: FieldcraftError when it comes from a newer version."""
        body = bring_forward("table-encoder", document, "the table encoder")
        codes: Sequence[Code] = CODES.validate_python(body["codes"])
        return cls(tuple(codes))
