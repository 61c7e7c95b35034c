"""Rows of cases and their summary: every number is that of its own measure, and units are resampled whole."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.pair import VOID, MaskPair
from fieldcraft.prediction.masks.score import score_case, score_cases
from fieldcraft.prediction.masks.summary import mean_over_cases, summarise
from fieldcraft.records.masks import CaseScores, MaskSummary, ScoreSettings

NAMES = ("background", "left", "right")


def case(name, truth, predicted, group=""):
    return MaskPair(name=name, truth=truth, predicted=predicted, spacing=(1.0,) * truth.ndim, group=group)


def ball(shift=0, value=1, shape=(20, 20)):
    mask = np.zeros(shape, int)
    mask[5 + shift : 12 + shift, 6:13] = value
    return mask


def test_a_perfect_case_has_the_best_of_everything():
    row = score_case(case("a", ball(), ball()), NAMES).classes[0]
    assert (row.dice, row.iou, row.hd95_mm, row.surface_dice, row.boundary_iou) == (1, 1, 0, 1, 1)
    assert (row.case, row.class_id, row.class_name, row.truth_voxels, row.predicted_voxels) == ("a", 1, "left", 49, 49)


def test_what_is_neither_there_nor_predicted_has_no_scores():
    row = score_case(case("a", ball(), ball()), NAMES).classes[1]
    assert (row.dice, row.iou, row.hd95_mm, row.surface_dice, row.boundary_iou) == (None,) * 5


def test_what_is_missed_has_the_worst_of_everything():
    row = score_case(case("a", ball(), ball() * 0), NAMES).classes[0]
    assert (row.dice, row.iou, row.surface_dice, row.boundary_iou) == (0, 0, 0, 0)
    assert row.hd95_mm == pytest.approx(19 * 2**0.5)


def test_void_voxels_count_for_nothing():
    truth = ball()
    truth[:, :6] = VOID
    predicted = ball()
    predicted[:, :6] = 2  # wrong, where nobody knows
    found = score_case(case("a", truth, predicted), NAMES)
    assert found.accuracy == 1 and found.classes[0].dice == 1 and found.classes[1].dice is None
    assert score_case(case("a", truth * 0 + VOID, predicted), NAMES).accuracy is None


def test_settings_reach_the_measures():
    pair = case("a", ball(), ball(2))
    strict = score_case(pair, NAMES, ScoreSettings(tolerance_mm=0.5)).classes[0]
    loose = score_case(pair, NAMES, ScoreSettings(tolerance_mm=2.0, boundary_mm=50.0)).classes[0]
    assert strict.surface_dice < loose.surface_dice == 1
    assert loose.boundary_iou == loose.iou
    cells = score_case(case("a", ball(), ball()), NAMES, ScoreSettings(membrane=0))
    assert (cells.rand, cells.rand_split, cells.rand_merge) == (1, 1, 1)
    assert score_case(pair, NAMES).rand is None


def some(count, seed=0):
    rng = np.random.default_rng(seed)
    return [
        case(f"case {n}", ball(), ball(int(rng.integers(0, 4)) - 2), group=f"patient {n // 2}") for n in range(count)
    ]


def test_means_are_over_cases_and_units_are_groups():
    scored = score_cases(some(8), NAMES)
    found = summarise(scored)
    dice = [one.classes[0].dice for one in scored]
    of_left = found.classes[0]
    assert of_left.metrics["dice"].value == pytest.approx(np.mean(dice)) == found.mean["dice"].value
    assert of_left.metrics["dice"].n == 4 and of_left.cases == 8 and of_left.missed == of_left.imagined == 0
    assert of_left.metrics["dice"].low < np.mean(dice) < of_left.metrics["dice"].high
    assert not found.classes[1].metrics and "rand" not in found.cases and found.cases["accuracy"].n == 4


def test_cases_of_one_group_are_worth_one():
    values, groups = np.repeat([0.2, 0.9, 0.5, 0.7, 0.1], 6), np.repeat(list("abcde"), 6)
    whole = mean_over_cases(values, list(groups))
    alone = mean_over_cases(values, [str(n) for n in range(30)])
    assert whole.value == pytest.approx(alone.value) == pytest.approx(0.48)
    assert whole.high - whole.low > 1.8 * (alone.high - alone.low)


def test_cases_that_define_nothing_do_not_count():
    found = mean_over_cases(np.array([0.5, np.nan, 0.7]), ["a", "b", "c"])
    assert found.value == pytest.approx(0.6) and found.n == 2
    with pytest.raises(DataError, match="at least one case"):
        mean_over_cases(np.array([np.nan]), ["a"])
    with pytest.raises(DataError, match="at least one scored case"):
        summarise([])


def test_missed_and_imagined_are_counted():
    scored = score_cases(
        [case("a", ball(), ball() * 0), case("b", ball() * 0, ball()), case("c", ball(), ball())], NAMES
    )
    left = summarise(scored).classes[0]
    assert (left.cases, left.missed, left.imagined) == (2, 1, 1)


def test_records_survive_json():
    scored = score_cases(some(4), NAMES, ScoreSettings(membrane=0))
    for kind, value in ((CaseScores, scored[0]), (MaskSummary, summarise(scored))):
        adapter = TypeAdapter(kind)
        assert adapter.validate_json(adapter.dump_json(value)) == value
