"""Candidates with outputs of one's choice, and the validation part that they are judged on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.data.splits import Parts
from fieldcraft.records.results import Candidate
from fieldcraft.verbs.candidates import Judged


@dataclass(frozen=True)
class Validation:
    """Stands in for samples: the truth of a validation part."""

    values: npt.NDArray[np.generic]
    group: npt.NDArray[np.str_] | None = None

    def truth(self, part: str) -> npt.NDArray[np.generic]:
        assert part == "validation", "nothing else takes part in a choice"
        return self.values

    def groups(self, part: str) -> npt.NDArray[np.str_] | None:
        return self.group

    @property
    def parts(self) -> Parts:
        """All of it validates."""
        return Parts(train=np.arange(0), validation=np.arange(len(self.values)), test=np.arange(0))


def candidate(name: str, outputs: npt.NDArray[np.float64], folds: tuple[float, ...] = ()) -> Judged:
    record = Candidate(name=name, kind="rung", validation=0.0, noise=0.0, seconds=1.0, sample="all", folds=folds)
    return Judged(candidate=record, outputs=outputs)
