import numpy as np
import pytest

from fieldcraft.data.intensities import LOOKED_AT, Scaling


def image(*sides: int, channels: int = 2) -> np.ndarray:
    random = np.random.default_rng(0)
    return (
        random.normal(40, 12, (channels, *sides)) * np.arange(1, channels + 1).reshape(-1, *(1,) * len(sides))
    ).astype(np.float32)


@pytest.mark.parametrize("sides", [(300,), (30, 20), (12, 9, 11)])
def test_a_case_gets_mean_zero_and_deviation_one_within_its_percentiles(sides) -> None:
    case = image(*sides)
    case[0].reshape(-1)[7] = 1e6
    scaled = Scaling.of_case(case)(case.copy())
    for channel, before in zip(scaled, case, strict=True):
        low, high = np.percentile(before, [0.5, 99.5])
        slow = before.clip(low, high)
        np.testing.assert_allclose(channel, (slow - slow.mean()) / slow.std(), atol=1e-3)
        assert abs(channel.mean()) < 1e-4 and abs(channel.std() - 1) < 1e-4


def test_facts_of_a_data_set_are_applied_as_they_are() -> None:
    ct = Scaling(low=(-1000.0,), high=(300.0,), mean=(50.0,), std=(100.0,))
    assert ct(np.array([[-2000.0, 50.0, 150.0, 900.0]], np.float32)).tolist() == [[-10.5, 0.0, 1.0, 2.5]]
    assert ct(np.broadcast_to(ct.zero(3), (1, 2, 2)).copy()).tolist() == [[[0.0, 0.0], [0.0, 0.0]]]


def test_no_scaling_keeps_every_bit() -> None:
    case = image(5, 5)
    assert Scaling.none(2)(case) is case
    assert np.array_equal(case, image(5, 5))


def test_surroundings_that_were_masked_away_need_not_count() -> None:
    case = np.zeros((1, 100), np.float32)
    case[0, :50] = np.arange(50) + 100
    left_out, counted = Scaling.of_case(case, zeros=False), Scaling.of_case(case)
    assert left_out.mean[0] == pytest.approx(124.5, abs=0.1) and counted.mean[0] == pytest.approx(62.2, abs=0.2)
    assert Scaling.of_case(np.zeros((1, 4), np.float32), zeros=False).mean == (0.0,)


def test_a_flat_channel_becomes_zero_and_numbers_that_are_none_do_not_count() -> None:
    case = np.array([[3.0, 3.0, 3.0], [1.0, np.nan, 3.0]], np.float32)
    scaling = Scaling.of_case(case, low=0, high=100)
    assert scaling.mean == (3.0, 2.0) and scaling.std == (0.0, 1.0)
    assert scaling(case)[0].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="no finite number"):
        Scaling.of_case(np.full((1, 4), np.nan))


def test_large_images_are_judged_by_a_draw() -> None:
    large = np.arange(3 * LOOKED_AT, dtype=np.int32).reshape(1, -1)
    found = Scaling.of_case(large)
    assert found.low[0] == pytest.approx(0.005 * 3 * LOOKED_AT, rel=0.03)
    assert found.mean[0] == pytest.approx(1.5 * LOOKED_AT, rel=0.003)
    assert found == Scaling.of_case(large)


def test_what_must_hold_is_said() -> None:
    with pytest.raises(ValueError, match="one number a channel"):
        Scaling((0.0,), (1.0,), (0.0, 0.0), (1.0,))
    with pytest.raises(ValueError, match="low <= high"):
        Scaling((2.0,), (1.0,), (0.0,), (1.0,))
