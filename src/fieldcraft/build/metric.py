"""One's own metric, found by name."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt

from fieldcraft.build.imported import load_target
from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Imported

Metric = Callable[[npt.NDArray[np.generic], npt.NDArray[np.float64]], float]


def build_metric(metric: Imported) -> Metric:
    """Called as target(truth, scores); larger is better. What it returns must be a finite number.

    Raises: PlanError when it cannot be found, or gives something else.
    """
    found = cast(Metric, load_target(metric.target, "metric"))

    def checked(truth: npt.NDArray[np.generic], scores: npt.NDArray[np.float64]) -> float:
        value = float(found(truth, scores))
        if not np.isfinite(value):
            raise PlanError(f"metric {metric.target} must return a finite number, but gave {value}.")
        return value

    return checked
