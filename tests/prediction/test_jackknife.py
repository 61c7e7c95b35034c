"""Shares of blocks in a metric, against what they are by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.prediction.jackknife import influence
from fieldcraft.prediction.metrics import score


@given(st.integers(2, 60), st.integers(1, 9), st.integers(0, 5))
def test_of_a_mean_they_are_its_deviations_and_sum_to_nought(rows: int, blocks: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    values, block = drawn.standard_normal(rows), drawn.integers(blocks, size=rows)
    found = influence(lambda some: float(values[some].mean()), block, blocks)
    if len(np.unique(block)) == 1:
        assert found is None  # nothing is left without the only block
        return
    by_hand = [(values[block == one] - values.mean()).sum() / rows for one in range(blocks)]
    assert found == pytest.approx(np.array(by_hand))
    assert found.sum() == pytest.approx(0)


def test_of_an_area_under_the_curve_they_give_its_error() -> None:
    """With a block a sample, summed squares are the jackknife's variance; that of DeLong et al. 1988 is near it."""
    drawn = np.random.default_rng(0)
    truth = np.arange(120) % 2
    ahead = drawn.standard_normal(120) + truth
    chances = np.stack([1 - ahead, ahead], axis=1)
    found = influence(
        lambda rows: score("auroc", "single-label", truth[rows], chances[rows]), np.arange(120), blocks=120
    )
    assert found is not None
    wins = (ahead[truth == 1][:, None] > ahead[truth == 0]).astype(float)
    delong = wins.mean(axis=1).var(ddof=1) / 60 + wins.mean(axis=0).var(ddof=1) / 60
    assert (found**2).sum() == pytest.approx(delong, rel=0.05)


def test_a_metric_that_is_no_number_without_a_block_has_none() -> None:
    assert influence(lambda rows: float("nan") if len(rows) < 4 else 0.5, np.array([0, 0, 1, 1]), 2) is None
