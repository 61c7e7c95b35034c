import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.fingerprint.sizes import MOST, common_sizes
from fieldcraft.records.facts import CommonSize


def test_few_sizes_are_told_as_they_are() -> None:
    sizes = np.array([[4, 6], [6, 4], [4, 6], [2, 2]])
    assert common_sizes(sizes) == (
        CommonSize(height=2, width=2, count=1), CommonSize(height=4, width=6, count=2),
        CommonSize(height=6, width=4, count=1),
    )  # fmt: skip


@given(seed=st.integers(0, 20), count=st.integers(1, 2_000), high=st.sampled_from([3, 300, 5_000]))
def test_many_are_put_together_with_near_ones_and_none_is_lost(seed: int, count: int, high: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, high, (count, 2))
    found = common_sizes(sizes)
    assert sum(one.count for one in found) == count
    assert len(found) <= MOST or high > 3
    assert all(1 <= one.height < high and 1 <= one.width < high for one in found)
    assert len(found) <= 14 * 14
