"""Wrong voxels by their distance to the truth's boundary, against every pair of voxels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.prediction.masks.depths import LAYERS, boundaries, error_depths
from fieldcraft.prediction.masks.pair import VOID, MaskPair


def by_pairs(pair: MaskPair, step_mm: float) -> np.ndarray:
    """The same, voxel by voxel."""
    truth, scale = pair.truth, np.array(pair.spacing)
    places = [np.array(one) for one in np.ndindex(truth.shape)]
    rims = [
        place for place in places
        if truth[tuple(place)] != VOID and any(
            np.abs(place - other).sum() == 1 and truth[tuple(other)] not in (truth[tuple(place)], VOID)
            for other in places
        )
    ]  # fmt: skip
    counts = np.zeros(LAYERS, np.int64)
    for place in places:
        if truth[tuple(place)] in (VOID, pair.predicted[tuple(place)]):
            continue
        far = min((float(np.linalg.norm((place - rim) * scale)) for rim in rims), default=np.inf)
        layer = 0 if far == 0 else next((n for n in range(1, LAYERS) if far <= n * step_mm + 1e-9), LAYERS - 1)
        counts[layer] += 1
    return counts


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(9,), (5, 7), (3, 4, 5)]), st.sampled_from([1.0, 2.5]))
def test_layers_are_those_of_all_pairs(seed: int, shape: tuple[int, ...], last: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.choice([VOID, 0, 1, 2], shape, p=[0.1, 0.7, 0.1, 0.1])
    pair = MaskPair(
        name="x", truth=truth, predicted=rng.integers(0, 3, shape), spacing=(1.0,) * (len(shape) - 1) + (last,)
    )
    found = error_depths(pair, last)
    assert found.tolist() == by_pairs(pair, last).tolist()
    assert found.sum() == ((truth != pair.predicted) & (truth != VOID)).sum()


@pytest.mark.parametrize("wrong", [0, 7])
def test_a_truth_without_a_boundary_has_its_mistakes_far_from_one(wrong: int) -> None:
    truth = np.zeros(20, int)
    predicted = (np.arange(20) < wrong).astype(int)
    found = error_depths(MaskPair(name="x", truth=truth, predicted=predicted, spacing=(1.0,)), 1.0)
    assert found.tolist() == [0, 0, 0, 0, wrong]
    assert not boundaries(truth).any()
