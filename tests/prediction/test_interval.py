"""Split-conformal intervals: their coverage by simulation, and the noise of highest likelihood."""

import numpy as np
import pytest

from fieldcraft.prediction.interval import covered, half_widths, noise


@pytest.mark.parametrize(("n", "wanted"), [(19, 0.9), (50, 0.8), (200, 0.95)])
def test_coverage_is_at_least_what_was_wanted_and_hardly_more(n, wanted):
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        residuals = rng.standard_t(3, size=(n + 200, 1))
        widths = half_widths(residuals[:n], np.zeros((n, 1)), wanted)
        held.append(covered(residuals[n:], np.zeros((200, 1)), widths).mean())
    assert wanted - 0.012 <= np.mean(held) <= wanted + 1 / (n + 1) + 0.012


def test_the_rank_is_the_finite_sample_one():
    residuals = np.arange(1.0, 20.0)[:, None]
    assert half_widths(residuals, np.zeros((19, 1)), 0.9)[0] == 18.0  # ceil(20 * 0.9)
    assert half_widths(residuals[:5], np.zeros((5, 1)), 0.9)[0] == 5.0  # too few: the largest


def test_each_target_has_its_own_width_and_noise():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(5000, 2)) * [1.0, 100.0]
    np.testing.assert_allclose(noise(truth, np.zeros_like(truth)), [1, 100], rtol=0.05)
    np.testing.assert_allclose(half_widths(truth, np.zeros_like(truth), 0.9), [1.645, 164.5], rtol=0.05)
    assert noise(truth, truth).min() > 0
