from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.proof.cores import shares

counts = st.integers(1, 12)


@given(cores=st.integers(0, 16), workers=counts, threads=counts)
def test_shares_are_even_and_apart_where_there_are_enough_cores(cores: int, workers: int, threads: int) -> None:
    numbers = tuple(range(3, 3 + cores))
    found = shares(numbers, workers, threads)
    assert len(found) == workers
    if threads >= cores:
        assert found == ((),) * workers
        return
    assert all(len(one) == threads and set(one) <= set(numbers) for one in found)
    taken = [core for one in found for core in one]
    most, least = max(map(taken.count, numbers)), min(map(taken.count, numbers))
    assert most - least <= 1
    if workers * threads <= cores:
        assert most == 1


def test_two_workers_on_two_cores() -> None:
    assert shares((0, 1), 2, 1) == ((0,), (1,))
    assert shares((0, 1), 1, 2) == ((),)
