import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from fieldcraft.fingerprint.logme import log_evidence, logme

Array = np.ndarray


def slow_evidence(alpha: float, beta: float, features: Array, target: Array) -> float:
    """Equation 2 of You et al. 2021, with the matrix written out."""
    n, d = features.shape
    precision = alpha * np.eye(d) + beta * features.T @ features
    mean = beta * np.linalg.solve(precision, features.T @ target)
    error = float(np.sum((features @ mean - target) ** 2))
    whole = n / 2 * np.log(beta) + d / 2 * np.log(alpha) - n / 2 * np.log(2 * np.pi)
    return float(whole - beta / 2 * error - alpha / 2 * mean @ mean - np.linalg.slogdet(precision)[1] / 2) / n


def brute_force(features: Array, target: Array) -> float:
    def negative(point: Array) -> float:
        return -slow_evidence(*np.exp(point), features, target)

    starts = ((0.0, 0.0), (3.0, 3.0), (-3.0, 3.0), (3.0, -3.0))
    options = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000}
    return max(-minimize(negative, start, method="Nelder-Mead", options=options).fun for start in starts)


def made(n: int, d: int, seed: int = 0, noise: float = 1.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) * rng.uniform(0.5, 2.0, size=d)
    return features, (features @ rng.normal(size=d) + noise * rng.normal(size=n) > 0).astype(float)[:, None]


@pytest.mark.parametrize(("n", "d"), [(30, 5), (40, 60), (100, 3), (20, 20)])
def test_the_fixed_point_is_the_largest_evidence(n: int, d: int) -> None:
    features, target = made(n, d)
    assert logme(features, target) == pytest.approx(brute_force(features, target[:, 0]), abs=1e-6)


@given(
    alpha=st.floats(0.01, 100), beta=st.floats(0.01, 100), n=st.integers(2, 12), d=st.integers(1, 12),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_the_evidence_is_that_of_the_formula(alpha: float, beta: float, n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, target = rng.normal(size=(n, d)), rng.normal(size=n)
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    quick = log_evidence(alpha, beta, singular**2, (left.T @ target) ** 2, float(target @ target), n, d)
    assert quick == pytest.approx(slow_evidence(alpha, beta, features, target), rel=1e-6, abs=1e-8)


def test_features_that_know_the_labels_score_higher_than_noise() -> None:
    features, target = made(200, 10, noise=0.1)
    strange = np.random.default_rng(9).normal(size=features.shape)
    assert logme(features, target) > logme(strange, target) + 0.1


def test_columns_count_alike_and_scale_does_not_matter() -> None:
    features, target = made(80, 6)
    both = np.hstack((target, 1 - target))
    assert logme(features, both) == pytest.approx((logme(features, target) + logme(features, 1 - target)) / 2)
    assert logme(1000 * features, target) == pytest.approx(logme(features, target), abs=1e-6)


def test_features_that_say_nothing_and_everything_have_a_score() -> None:
    target = np.array([[0.0], [1.0], [0.0], [1.0]])
    silent, known = logme(np.zeros((4, 3)), target), logme(target.copy(), target)
    assert np.isfinite(silent) and np.isfinite(known) and silent < known
    # No features leave a Gaussian around nought, with the target's own mean square.
    assert silent == pytest.approx(-0.5 * np.log(2 * np.pi * 0.5) - 0.5, abs=1e-6)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="two samples"):
        logme(np.zeros((1, 3)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="two samples"):
        logme(np.zeros((4, 3)), np.zeros((5, 1)))
