"""The measure that trials are scored by is the one that the report gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.prediction.masks.by_class import by_class, mean_over_classes, value_of
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.score import score_cases
from fieldcraft.prediction.masks.summary import MASK_METRICS, summarise

NAMES = ("background", "a", "b")


def cases(seed: int, count: int, shape: tuple[int, ...]) -> list[MaskPair]:
    """Random masks, void voxels among them; some classes are in neither."""
    rng = np.random.default_rng(seed)
    return [
        MaskPair(
            name=str(index),
            truth=rng.integers(-1, 1 + rng.integers(0, 3), shape),
            predicted=rng.integers(0, 1 + rng.integers(0, 3), shape),
            spacing=(1.0, 2.0, 1.5)[: len(shape)],
        )
        for index in range(count)
    ]


@given(seed=st.integers(0, 1000), shape=st.sampled_from([(6, 7), (5, 4, 6)]))
@settings(max_examples=20, deadline=None)
def test_every_measure_is_that_of_the_report(seed: int, shape: tuple[int, ...]) -> None:
    pairs = cases(seed, 3, shape)
    scored = score_cases(pairs, NAMES)
    for metric in MASK_METRICS:
        table = np.stack([by_class(metric, pair, len(NAMES)) for pair in pairs])
        told = [[getattr(row, metric) for row in case.classes] for case in scored]
        assert table == pytest.approx(np.array(told, np.float64), nan_ok=True)
        known = summarise(scored, repeats=10).mean.get(metric)
        assert value_of(table) == pytest.approx(known.value if known else float("nan"), nan_ok=True)


def test_cases_without_any_class_do_not_count_and_without_such_cases_there_is_no_value() -> None:
    nan = float("nan")
    table = np.array([[nan, nan], [0.5, nan], [0.2, 0.4]])
    assert mean_over_classes(table) == pytest.approx([0.5, 0.3])
    assert value_of(table) == pytest.approx(0.4)
    assert np.isnan(value_of(table[:1]))
