"""Regression intervals: the prediction plus or minus what validation residuals say (split conformal).

Source: Lei et al. 2018, arXiv:1604.04173, section 2.2. Coverage holds on average over samples that are exchangeable
with the validation part; it says nothing about any one region of the inputs.
"""

import numpy as np

from fieldcraft.prediction.metrics import Array


def half_widths(truth: Array, predictions: Array, coverage: float) -> Array:
    """One a target: the ceil((n + 1) coverage)-th smallest of n absolute residuals; the largest if n is small."""
    residuals = np.sort(np.abs(truth - predictions), axis=0)
    rank = int(np.ceil((len(residuals) + 1) * coverage))
    found: Array = residuals[min(rank, len(residuals)) - 1]
    return found


def noise(truth: Array, predictions: Array) -> Array:
    """Deviation of Gaussian noise around the predictions with the highest likelihood, one a target; never zero."""
    found: Array = np.maximum(np.sqrt(((truth - predictions) ** 2).mean(axis=0)), 1e-9)
    return found


def covered(truth: Array, predictions: Array, half_width: Array) -> Array:
    """1.0 for each sample (and target) whose interval holds the truth, 0.0 for the others."""
    found: Array = (np.abs(truth - predictions) <= half_width).astype(np.float64)
    return found
