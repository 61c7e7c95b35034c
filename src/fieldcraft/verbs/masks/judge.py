"""Judging candidates by their masks of the validation part: one row a case, one column a class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fieldcraft.data.order import Rows
from fieldcraft.errors import DataError
from fieldcraft.plan.masks import Segmentation
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.masks.by_class import by_class, value_of
from fieldcraft.prediction.masks.pair import Labels
from fieldcraft.report.metrics import spoken
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.judge import Comparison, Outputs
from fieldcraft.verbs.masks.samples import MaskSamples


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskJudge:
    """Compares candidates on the validation part; `Judged.outputs` holds the metric of each class of each case.

    NaN: the class is neither in the truth nor in the prediction of that case.
    """

    plan: Plan
    samples: MaskSamples

    @property
    def metric(self) -> Literal["dice", "iou"]:
        """Name of the plan's metric."""
        assert isinstance(self.plan.task, Segmentation)
        return self.plan.task.metric

    @property
    def higher_is_better(self) -> bool:
        """Overlap is better when it is larger."""
        return True

    def row(self, row: int, predicted: Labels) -> Outputs:
        """The metric of each class but the background, for one case predicted on its own grid."""
        return by_class(self.metric, self.samples.pair(row, predicted), self.samples.outputs)

    def value(self, found: Outputs) -> float:
        """Mean over cases of the mean over the classes that a case has.

        Raises: DataError when no case has any.
        """
        value = value_of(found)
        if np.isnan(value):
            raise DataError(
                f"{self.metric} is not defined on the validation part: none of its cases has a class but the "
                "background. Choose a larger part (--set splits.validation=0.3)."
            )
        return value

    def compare(self, new: Outputs, old: Outputs) -> Comparison:
        """Is the first better than the second by more than one standard error of the paired difference?"""
        gain, noise = self._difference(new, old)
        words = f"{spoken(self.metric)} {'better' if gain >= 0 else 'worse'} by {abs(gain):.2g} ± {noise:.1g}"
        more = "more" if abs(gain) > noise else "not more"
        return Comparison(gain=gain, noise=noise, better=gain > noise, words=f"{words}, {more} than the noise")

    def best(self, judged: Sequence[Judged]) -> Judged:
        """An average that was kept; else the first that no later one beats by more than noise."""
        if judged[-1].candidate.kind == "ensemble":
            return judged[-1]  # it was weighed against all others when it was made
        found = judged[0]
        for one in judged[1:]:
            if self.compare(one.outputs, found.outputs).better:
                found = one
        return found

    def is_worse_over_folds(self, new: Judged, old: Judged) -> bool:
        """Nothing that predicts masks is tuned on folds."""
        return False

    def noise(self, found: Outputs, judged: Sequence[Judged]) -> float:
        """Standard error of the difference to the best so far; 0 when there is none."""
        return self._difference(found, self.best(judged).outputs)[1] if judged else 0.0

    def _difference(self, new: Outputs, old: Outputs) -> tuple[float, float]:
        return difference(new, old, units(self.samples, self.samples.parts.validation))


def units(samples: MaskSamples, rows: Rows) -> npt.NDArray[np.str_]:
    """What cases are compared by: their groups, or themselves where all are of one: slices are all that there is."""
    found = np.array([samples.group(int(row)) for row in rows], np.str_)
    if len(np.unique(found)) > 1:
        return found
    return np.array([samples.dataset.ids[int(row)] for row in rows], np.str_)


def difference(new: Outputs, old: Outputs, unit: npt.NDArray[np.str_]) -> tuple[float, float]:
    """Mean over cases of new minus old, and its standard error over units; all of the mean for one unit.

    A class that is rightly not there is as good as can be: both are compared over the same classes.
    """
    filled = [np.where(np.isnan(one), 1.0, one) for one in (new, old)]
    each = (filled[0] - filled[1]).mean(axis=1)
    _, member = np.unique(unit, return_inverse=True)
    means = np.bincount(member, weights=each) / np.bincount(member)
    gain = float(each.mean())
    return gain, float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else abs(gain)
