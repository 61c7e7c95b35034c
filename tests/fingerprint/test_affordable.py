import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.fingerprint.affordable import READ_S, affordable


def count(limit_s: float, values: int = 100) -> int:
    return affordable(limit_s, values, seconds_a_thousand=0.5, power=2.0, least=50, most=4_000)


def test_half_of_the_time_is_for_the_work() -> None:
    assert count(1.0) == 1_000
    assert count(4.0) == 2_000
    assert count(0.0) == 50
    assert count(1e9) == 4_000


def test_large_samples_are_fewer() -> None:
    assert count(1.0, values=10**5) == pytest.approx(0.5 / (READ_S * 10**5), abs=1)


@given(st.floats(0, 100), st.floats(0, 100), st.integers(1, 10**6))
def test_more_time_allows_more(first: float, second: float, values: int) -> None:
    low, high = sorted((first, second))
    assert 50 <= count(low, values) <= count(high, values) <= 4_000
