from itertools import combinations, product
from math import gcd

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fieldcraft.nn.rates import aspp_rates, leaves_holes, reach_of

RATES = st.lists(st.integers(1, 12), min_size=1, max_size=4)


@given(rates=RATES, kernel=st.sampled_from([2, 3, 5]))
@example(rates=[1, 2, 5], kernel=3)
@example(rates=[2, 2, 2], kernel=3)
@example(rates=[1, 2, 9], kernel=3)
def test_holes_are_the_positions_that_no_path_reaches(rates, kernel) -> None:
    paths = product(range(kernel), repeat=len(rates))
    reached = {sum(a * rate for a, rate in zip(steps, rates, strict=True)) for steps in paths}
    assert max(reached) + 1 == reach_of(rates, kernel)
    assert leaves_holes(rates, kernel) == (reached != set(range(reach_of(rates, kernel))))


def largest_gap(rates: list[int], kernel: int) -> int:
    """M_2 of Wang et al. 2018, equation 2: the distance between positions seen, for a chain in this order."""
    gap = rates[-1]
    for rate in reversed(rates[1:-1]):
        gap = max(gap - 2 * rate, 2 * rate - gap, rate)
    return gap


EXAMPLES = [([1, 2, 5], False), ([1, 2, 9], True), ([2, 2, 2], True), ([2, 4, 8], True), ([1, 2, 3], False)]


@pytest.mark.parametrize(("rates", "holes"), EXAMPLES)
def test_the_examples_of_wang_et_al(rates, holes) -> None:
    assert leaves_holes(rates) == holes
    if gcd(*rates) == 1:
        assert (largest_gap(rates, 3) > 3) == holes


@given(rates=st.lists(st.integers(1, 9), min_size=2, max_size=4).map(sorted))
def test_what_leaves_no_holes_satisfies_their_rule_for_the_common_factor(rates) -> None:
    if not leaves_holes(rates):
        assert gcd(*rates) == 1


@given(size=st.integers(1, 200), count=st.integers(1, 5), kernel=st.sampled_from([3, 5]), reach=st.integers(1, 40))
@example(size=33, count=3, kernel=3, reach=40)
def test_branches_stay_on_the_map_without_common_factors_or_gaps(size, count, kernel, reach) -> None:
    rates = aspp_rates(size, count=count, kernel=kernel, reach=reach)
    assert 1 <= len(rates) <= count
    assert list(rates) == sorted(set(rates))
    assert all(gcd(a, b) == 1 for a, b in combinations(rates, 2))
    if size >= kernel:
        middle, outermost = (size - 1) // 2, rates[-1] * (kernel // 2)
        assert middle - outermost >= 0 and middle + outermost < size
    assert rates == (1,) or rates[-1] <= reach
    assert aspp_rates(33) == (5, 11, 16), "6, 12 and 18 of the paper without what they share, and on the map"


def test_what_makes_no_sense_is_refused() -> None:
    for wrong in ({"size": 0}, {"size": 5, "count": 0}, {"size": 5, "kernel": 4}, {"size": 5, "kernel": 1}):
        with pytest.raises(ValueError, match="odd kernel"):
            aspp_rates(**wrong)
