from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.records.streams import stream_seed

names = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
keys = st.tuples(st.integers(0, 2**63 - 1), names, names, st.integers(0, 10**9))


@given(one=keys, other=keys)
def test_streams_differ_exactly_when_anything_differs(one: tuple, other: tuple) -> None:
    assert (stream_seed(*one) == stream_seed(*other)) == (one == other)


@given(key=keys)
def test_seeds_have_63_bits(key: tuple) -> None:
    assert 0 <= stream_seed(*key) < 2**63


def test_seeds_are_the_same_for_ever() -> None:
    """Runs of older versions must repeat."""
    assert stream_seed(0, "init") == 2295478759562855653
    assert stream_seed(0, "init", "", 0) == 2295478759562855653
