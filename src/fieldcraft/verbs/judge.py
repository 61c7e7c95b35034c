"""Judging candidates on the validation part: by the plan's metric, and by log-loss where that cannot tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.build.metric import build_metric
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.bootstrap import paired_difference
from fieldcraft.prediction.calibration import apply, fit_temperature
from fieldcraft.prediction.metrics import higher_is_better, score
from fieldcraft.report.metrics import spoken
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.samples import Samples

Outputs = npt.NDArray[np.float64]

LOSSES = frozenset({"rmse", "r2", "log-loss"})
"""Metrics that tell no more than the losses by which baselines are tuned and weights of averages are chosen."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How much better one candidate is than another, and whether that is more than noise."""

    gain: float
    """In units of the metric; positive: better."""
    noise: float
    """Standard error of the paired difference."""
    better: bool
    leans: bool = False
    """Whether it is no more than noise, but metric and log-loss both point towards the new one."""
    words: str
    """What was compared and what came out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judge:
    """Compares candidates on the validation part."""

    plan: Plan
    samples: Samples

    @property
    def metric(self) -> str:
        """Name of the plan's metric."""
        metric = self.plan.task.metric
        return metric if isinstance(metric, str) else metric.target

    @property
    def higher_is_better(self) -> bool:
        """Whether larger values are better; of one's own metrics they always are."""
        return higher_is_better(self.metric) if isinstance(self.plan.task.metric, str) else True

    def value(self, found: Outputs) -> float:
        """The metric of some outputs."""
        metric, task = self.plan.task.metric, self.plan.task.kind
        truth, scores = self.samples.truth("validation"), apply(found, self._temperature(found), task)
        if not isinstance(metric, str):
            return build_metric(metric)(truth, scores)
        value = score(metric, task, truth, scores)
        if not np.isfinite(value):
            raise DataError(
                f"{metric} is not defined on the validation part ({len(truth):,} samples): it may hold one class only. "
                "Choose another metric (--set task.metric=accuracy) or a larger part (--set splits.validation=0.3)."
            )
        return value

    def compare(self, new: Outputs, old: Outputs) -> Comparison:
        """Is the first better than the second by more than noise?

        One standard error of the paired difference in the plan's metric decides; where that is the log-loss, each with
        its own temperature, as it would be returned. Where the difference is smaller, the log-loss of both decides in
        the same way, for classes and labels: a share of right answers on a small part cannot see how sure each answer
        was, a proper score can.
        """
        gain, noise = self._difference(self.plan.task.metric, new, old, *map(self._temperature, (new, old)))
        words = f"{spoken(self.metric)} {'better' if gain >= 0 else 'worse'} by {abs(gain):.4g} ± {noise:.2g}"
        if abs(gain) > noise:
            return Comparison(gain=gain, noise=noise, better=gain > 0, words=f"{words}, more than the noise")
        task = self.plan.task.kind
        if task == "regression" or self.metric == "log-loss":
            return Comparison(gain=gain, noise=noise, better=False, words=f"{words}, not more than the noise")
        truth = self.samples.truth("validation")
        warm = [fit_temperature(outputs, truth, task) for outputs in (new, old)]
        nats, error = self._difference("log-loss", new, old, *warm)
        side = "lower" if nats > 0 else "higher"
        leans = gain > 0 and 0 < nats <= error
        ends = "decides" if nats > error else "points the same way" if leans else "does not decide either"
        words += f", not more than the noise; log-loss {side} by {abs(nats):.3g} ± {error:.2g} {ends}"
        return Comparison(gain=gain, noise=noise, better=nats > error, leans=leans, words=words)

    def best(self, judged: Sequence[Judged]) -> Judged:
        """An average that was kept; else the first that none beats by more than noise, or in metric and log-loss
        alike; where the metric is a loss that baselines are tuned by, not one of two that is worse over folds of the
        training part, which hold several times as many samples.
        """
        if judged[-1].candidate.kind == "ensemble":
            return judged[-1]  # it was weighed against all others when it was made
        found = judged[0]
        for one in judged[1:]:
            comparison = self.compare(one.outputs, found.outputs)
            if (comparison.better or comparison.leans) and not self.is_worse_over_folds(one, found):
                found = one
        return found

    def is_worse_over_folds(self, new: Judged, old: Judged) -> bool:
        """Whether both were cross-validated on the training part, and the first lost more there, beyond one standard
        error over folds.
        """
        first, second = (np.array(one.candidate.folds) for one in (new, old))
        if self.metric not in LOSSES or len(first) != len(second) or len(first) < 2:
            return False
        lost = first - second
        return bool(lost.mean() > lost.std(ddof=1) / np.sqrt(len(lost)))

    def noise(self, found: Outputs, judged: Sequence[Judged]) -> float:
        """Standard error of the difference to the best so far; 0 when there is none."""
        if not judged:
            return 0.0
        best = self.best(judged).outputs
        return self._difference(self.plan.task.metric, found, best, *map(self._temperature, (found, best)))[1]

    def _temperature(self, found: Outputs) -> float:
        """What the plan's metric sees outputs at: the others do not change with it."""
        if self.metric != "log-loss" or not self.plan.prediction.calibrate:
            return 1.0
        return fit_temperature(found, self.samples.truth("validation"), self.plan.task.kind)

    def _difference(
        self, metric: object, new: Outputs, old: Outputs, new_temperature: float, old_temperature: float
    ) -> tuple[float, float]:
        task = self.plan.task.kind
        own = self.plan.task.metric
        gain, error = paired_difference(
            metric if isinstance(metric, str) else build_metric(own) if not isinstance(own, str) else own,
            task,
            self.samples.truth("validation"),
            apply(new, new_temperature, task),
            apply(old, old_temperature, task),
            groups=self.samples.groups("validation"),
        )
        # With no resample in which the metric is defined, nothing is known of the noise: no gain can be above it.
        return gain, error if np.isfinite(error) else abs(gain)
