from math import exp, log, sqrt
from statistics import fmean, stdev

import pytest

from fieldcraft.fingerprint.rate_range import growing, run, steepest, suggestion


def fall(rates, place: int, noise: float = 0.0) -> list[float]:
    """A loss that falls along a logistic curve around one rate and stays low."""
    return [2 - 1 / (1 + (rates[place] / rate) ** 3) + noise * (-1) ** step for step, rate in enumerate(rates)]


def test_rates_grow_by_a_constant_factor():
    rates = growing(1e-3, 10.0, 5)
    assert rates == pytest.approx((1e-3, 1e-2, 1e-1, 1.0, 10.0))
    for wrong in ((0.0, 1.0, 5), (1.0, 1.0, 5), (0.1, 1.0, 1)):
        with pytest.raises(ValueError, match="0 < low < high"):
            growing(*wrong)


def test_the_steepest_fall_is_found():
    rates = growing(1e-4, 1.0, 81)
    assert steepest(rates, fall(rates, 40)) == pytest.approx(rates[40], rel=0.15)
    assert steepest(rates, [1.0 + step for step in range(81)]) is None
    assert steepest(rates, [1.0]) is None


def test_a_run_ends_where_its_loss_leaves_and_its_mean_has_no_bias():
    rates = growing(1e-3, 1.0, 20)
    assert run(lambda rate: 3.0, rates) == pytest.approx([3.0] * 20)
    asked = []

    def step(rate: float) -> float:
        asked.append(rate)
        return 1.0 if rate < 0.1 else 1e6

    found = run(step, rates)
    assert len(found) == sum(rate < 0.1 for rate in rates)
    assert len(asked) == len(found) + 1
    assert len(run(lambda rate: float("nan"), rates)) == 0


def test_the_interval_is_that_of_student_on_the_logarithm():
    rates = growing(1e-4, 1.0, 81)
    runs = [fall(rates, place) for place in (20, 40, 60)]
    found = suggestion(rates, runs)
    logs = [log(steepest(rates, losses)) for losses in runs]
    half = 4.302653 * stdev(logs) / sqrt(3)
    assert (found.rate, found.low, found.high) == pytest.approx(
        (exp(fmean(logs)), exp(fmean(logs) - half), exp(fmean(logs) + half)), rel=1e-5
    )
    assert (found.runs, found.steps) == (3, 81)


def test_runs_that_agree_are_no_surer_than_one_run_can_be():
    rates = growing(1e-4, 1.0, 81)
    found = suggestion(rates, [fall(rates, 40)] * 3)
    assert found.high / found.low == pytest.approx((1e4) ** (1 / 5))


def test_one_run_that_fell_is_none():
    rates = growing(1e-4, 1.0, 81)
    assert suggestion(rates, [fall(rates, 40), [1.0] * 81, []]) is None
