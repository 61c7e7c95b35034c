import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.proof.share import Share, best_share


def test_two_workers_where_a_second_thread_saves_less_than_half() -> None:
    assert best_share(2, {1: 1.0, 2: 0.6}) == Share(workers=2, threads=1)
    assert best_share(2, {1: 1.0, 2: 0.4}) == Share(workers=1, threads=2)
    assert best_share(2, {1: 1.0, 2: 0.5}) == Share(workers=1, threads=2), "the same: less memory"


def test_what_was_not_measured_does_not_count() -> None:
    assert best_share(4, {}) == Share(workers=1, threads=4)
    assert best_share(4, {1: math.inf, 8: 0.01, 2: math.nan}) == Share(workers=1, threads=4)
    assert best_share(3, {2: 1.0}) == Share(workers=1, threads=2)
    with pytest.raises(ValueError, match="cores >= 1"):
        best_share(0, {1: 1.0})


@given(st.integers(1, 64), st.dictionaries(st.integers(1, 64), st.floats(1e-4, 10), min_size=1))
def test_no_other_measured_share_does_more(cores: int, seconds: dict[int, float]) -> None:
    found = best_share(cores, seconds)
    assert found.workers * found.threads <= cores
    fitting = [threads for threads in seconds if threads <= cores]
    if fitting:
        done = found.workers / seconds[found.threads]
        assert done == max((cores // threads) / seconds[threads] for threads in fitting)
