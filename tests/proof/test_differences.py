import pytest
from scipy.stats import ttest_1samp
from tests.proof.proofs import outcome, setting

from fieldcraft.proof.differences import cost_difference, plain_interval
from fieldcraft.proof.pairing import pairs_of
from fieldcraft.records.proof import Cost


def test_the_interval_is_that_of_scipy() -> None:
    values = [0.3, 0.1, -0.2, 0.5]
    found, reference = plain_interval(values), ttest_1samp(values, 0).confidence_interval(0.95)
    assert found is not None and (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert plain_interval([1.0]) is None


def test_costs_are_on_minus_off_over_pairs_that_count() -> None:
    ended = []
    for pair, (base, without) in enumerate([(5.0, 4.0), (6.0, 4.0), (9.0, 1.0)]):
        ended.append(outcome("base", pair, 0.8, cost=Cost(seconds=base, parameters=10.0)))
        score = 0.8 if pair < 2 else None
        ended.append(outcome("smoothing", pair, score, cost=Cost(seconds=without, parameters=8.0)))
    found = cost_difference(pairs_of(setting(), ended, "confirm", factor="smoothing"))
    assert found.seconds is not None and (found.seconds.value, found.seconds.pairs) == (1.5, 2)
    assert found.parameters is not None and found.parameters.low == found.parameters.high == 2.0
    assert found.memory_mib is None and found.latency_ms is None
