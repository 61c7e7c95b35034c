import math

from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.train.guard import Guard, Trouble

CALM = st.lists(st.floats(0.0, 2.0), min_size=1, max_size=50)


@given(losses=CALM)
def test_calm_losses_pass_and_are_counted(losses: list[float]) -> None:
    found = Guard().look(losses)
    # 4 times the slow average plus 1 is passed only after a long calm near zero: such leaps are troubles
    assert isinstance(found, Trouble) or found.seen == len(losses)


@given(before=st.lists(st.floats(0.5, 1.0), max_size=30), bad=st.sampled_from([math.nan, math.inf, -math.inf]))
def test_the_first_loss_that_is_no_number_is_named(before: list[float], bad: float) -> None:
    found = Guard().look([*before, bad, 0.5])
    assert isinstance(found, Trouble)
    assert found.index == len(before)


def test_a_leap_is_trouble_only_after_twenty_steps() -> None:
    assert isinstance(Guard().look([1.0, 100.0]), Guard)
    assert isinstance(Guard().look([1.0] * 20 + [100.0]), Trouble)


@given(losses=CALM, cut=st.integers(0, 50))
def test_looking_in_two_parts_is_looking_once(losses: list[float], cut: int) -> None:
    whole = Guard().look(losses)
    first = Guard().look(losses[:cut])
    if isinstance(first, Guard) and isinstance(whole, Guard):
        assert first.look(losses[cut:]) == whole
