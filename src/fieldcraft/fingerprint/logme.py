"""LogME: how well features explain labels, as the evidence of a Bayesian linear model. Nothing is trained."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
ROUNDS = 2_000
"""Of the fixed point; with more features than samples it comes close slowly."""
CLOSE = 1e-10
TINY = 1e-12


def logme(features: Array, targets: Array) -> float:
    """Log evidence a sample, averaged over the columns of the targets; higher is better, comparable between features.

    Targets are modelled as Gaussian around features @ m, m as Gaussian with precision alpha, noise with precision beta;
    the evidence is maximised over both by a fixed point, from one singular value decomposition for all columns.

    Shape: features (n, d); targets (n, k): numbers, or classes one-hot.
    Cost: n d min(n, d) operations.
    Raises: ValueError when there are fewer than two samples, or the lengths differ.
    Source: You et al. 2021, arXiv:2102.11005, equation 2 and algorithm 1.
    """
    if features.ndim != 2 or targets.ndim != 2 or len(features) != len(targets) or len(features) < 2:
        raise ValueError(
            f"features (n, d) and targets (n, k) of two samples or more are needed, got {features.shape} and "
            f"{targets.shape}."
        )
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    explained, whole = (left.T @ targets) ** 2, (targets**2).sum(axis=0)
    columns = range(targets.shape[1])
    return float(np.mean([_evidence(singular**2, explained[:, k], float(whole[k]), *features.shape) for k in columns]))


def log_evidence(
    alpha: float, beta: float, squares: Array, explained: Array, whole: float, samples: int, numbers: int
) -> float:
    """Log evidence a sample at given precisions.

    `squares`: squared singular values of the features; `explained`: squared parts of the target along the left singular
    vectors; `whole`: the target's squared length.
    """
    shrunk = alpha + beta * squares
    error = _error(alpha, shrunk, explained, whole)
    length = float(np.sum(beta**2 * squares * explained / shrunk**2))
    # Directions beyond the rank of the features each add log alpha to the determinant.
    determinant = float(np.sum(np.log(shrunk))) + (numbers - len(squares)) * float(np.log(alpha))
    total = samples * np.log(beta) + numbers * np.log(alpha) - samples * np.log(2 * np.pi)
    return float(total - beta * error - alpha * length - determinant) / (2 * samples)


def _evidence(squares: Array, explained: Array, whole: float, samples: int, numbers: int) -> float:
    """The largest evidence: precisions that reproduce themselves."""
    alpha = beta = 1.0
    last = -np.inf
    for _ in range(ROUNDS):
        shrunk = alpha + beta * squares
        effective = float(np.sum(beta * squares / shrunk))
        length = float(np.sum(beta**2 * squares * explained / shrunk**2))
        error = _error(alpha, shrunk, explained, whole)
        # Features that say nothing, or everything, push a precision to nought or beyond all bounds.
        alpha = min(max(effective / max(length, TINY), TINY), 1 / TINY)
        beta = min(max((samples - effective) / max(error, TINY), TINY), 1 / TINY)
        found = log_evidence(alpha, beta, squares, explained, whole, samples, numbers)
        if abs(found - last) <= CLOSE * max(1.0, abs(found)):
            break
        last = found
    return found


def _error(alpha: float, shrunk: Array, explained: Array, whole: float) -> float:
    """Squared distance of the target from what the features say; what lies outside of their span cannot be said."""
    outside = max(whole - float(explained.sum()), 0.0)
    return float(np.sum(alpha**2 * explained / shrunk**2)) + outside
