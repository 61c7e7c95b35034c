"""The search keeps a CRF where images show edges that the network blurred, and none where they mislead."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.crf_search import Predicted, candidates, fit_crf


def case(seed, honest=True, group=""):
    rng = np.random.default_rng(seed)
    truth = (gaussian_filter(rng.normal(size=(24, 24)), 3) > 0).astype(int)
    shown = truth if honest else (gaussian_filter(rng.normal(size=(24, 24)), 1.5) > 0)
    image = shown[None] + 0.2 * rng.normal(size=(1, 24, 24))
    blurred = 3 * (gaussian_filter(truth.astype(float), 1.5) - 0.5) + rng.normal(0, 0.6, (24, 24))
    if not honest:
        blurred = 6 * (truth - 0.5)
    logits = np.stack([-blurred, blurred]).astype(np.float32)
    return Predicted(
        name=f"case {seed}", image=image.astype(np.float32), logits=logits, truth=truth, spacing=(1.0, 1.0), group=group
    )


def test_a_crf_that_helps_is_kept_and_says_what_it_did_to_boundaries():
    crf, said = fit_crf([case(seed) for seed in range(6)])
    assert crf is not None and said.kept and crf in candidates(1.0) and said.candidates == len(candidates(1.0))
    assert list(said.changes) == ["dice", "boundary_iou", "hd95_mm"]
    assert said.changes["boundary_iou"].gain.value > 0.01 and said.changes["dice"].gain.low > 0
    assert "boundary IoU from" in said.because and "HD95 from" in said.because


def test_a_perfect_prediction_gets_none():
    crf, said = fit_crf([case(seed, honest=False) for seed in range(6)])
    assert crf is None and not said.kept and said.changes["dice"].before == 1


def test_one_group_gets_none():
    crf, said = fit_crf([case(seed, group="stack") for seed in range(3)])
    assert crf is None and "of one group" in said.because


def test_of_many_cases_some_are_drawn():
    _, said = fit_crf([case(seed) for seed in range(6)], most_cases=4)
    assert "on 4 validation cases" in said.because
    with pytest.raises(DataError, match="validation cases, but got none"):
        fit_crf([])
