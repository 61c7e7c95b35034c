"""Judging candidates by their masks of the validation part: one row a case, one column a class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fieldcraft.errors import DataError
from fieldcraft.plan.masks import Segmentation
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.masks.overlap import confusion, dice, iou
from fieldcraft.prediction.masks.pair import Labels, MaskPair
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
    def metric(self) -> str:
        """Name of the plan's metric."""
        assert isinstance(self.plan.task, Segmentation)
        return self.plan.task.metric

    @property
    def higher_is_better(self) -> bool:
        """Overlap is better when it is larger."""
        return True

    def row(self, row: int, predicted: Labels) -> Outputs:
        """The metric of each class but the background, for one case predicted on its own grid."""
        counts = confusion(self.pair(row, predicted), self.samples.outputs)
        found = dice(counts) if self.metric == "dice" else iou(counts)
        return np.asarray(found[1:], np.float64)

    def pair(self, row: int, predicted: Labels) -> MaskPair:
        """Truth and prediction of a case."""
        samples = self.samples
        return MaskPair(
            name=samples.dataset.ids[row],
            truth=samples.truth(row),
            predicted=predicted,
            spacing=samples.case(row).geometry.spacing,
            group=samples.group(row),
        )

    def value(self, found: Outputs) -> float:
        """Mean over cases of the mean over the classes that a case has.

        Raises: DataError when no case has any.
        """
        values = _means(found)
        if not len(values):
            raise DataError(
                f"{self.metric} is not defined on the validation part: none of its cases has a class but the "
                "background. Choose a larger part (--set splits.validation=0.3)."
            )
        return float(values.mean())

    def compare(self, new: Outputs, old: Outputs) -> Comparison:
        """Is the first better than the second by more than one standard error of the paired difference?"""
        gain, noise = self._difference(new, old)
        words = f"{self.metric} {'better' if gain >= 0 else 'worse'} by {abs(gain):.2g} ± {noise:.1g}"
        more = "more" if abs(gain) > noise else "not more"
        return Comparison(gain=gain, noise=noise, better=gain > noise, words=f"{words}, {more} than the noise")

    def best(self, judged: Sequence[Judged]) -> Judged:
        """The first that no later one beats by more than noise."""
        found = judged[0]
        for one in judged[1:]:
            if self.compare(one.outputs, found.outputs).better:
                found = one
        return found

    def noise(self, found: Outputs, judged: Sequence[Judged]) -> float:
        """Standard error of the difference to the best so far; 0 when there is none."""
        return self._difference(found, self.best(judged).outputs)[1] if judged else 0.0

    def _difference(self, new: Outputs, old: Outputs) -> tuple[float, float]:
        """Mean over cases and its standard error over groups, over cases in one group; all of the gain for one case."""
        each = np.nanmean(_filled(new) - _filled(old), axis=1)
        rows = [int(row) for row in self.samples.parts.validation]
        units = np.array([self.samples.group(row) for row in rows])
        if len(np.unique(units)) == 1:  # slices of one volume: they are all there is to compare by
            units = np.array([self.samples.dataset.ids[row] for row in rows])
        _, member = np.unique(units, return_inverse=True)
        means = np.bincount(member, weights=each) / np.bincount(member)
        gain = float(each.mean())
        return gain, float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else abs(gain)


def _filled(found: Outputs) -> Outputs:
    """A class that is rightly not there is as good as can be: two candidates are compared over the same classes."""
    return np.where(np.isnan(found), 1.0, found)


def _means(found: Outputs) -> Outputs:
    """Of each case that has a class but the background."""
    some = ~np.isnan(found).all(axis=1)
    means: Outputs = np.nanmean(found[some], axis=1)
    return means
