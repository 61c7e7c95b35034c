import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.build.schedule import final_rate, rate
from fieldcraft.plan.schema import CoolDown, Linear, OneCycle, Rung
from fieldcraft.train.course import Course

SCHEDULE = OneCycle()
COURSE = Course(schedule=SCHEDULE, planned=100, peak=0.4)


def test_without_an_early_end_it_is_the_schedule() -> None:
    assert COURSE.end == 100
    assert [COURSE.rate(s) for s in range(100)] == [0.4 * rate(SCHEDULE, s, planned=100) for s in range(100)]


@given(at=st.integers(0, 98), data=st.data())
def test_a_cool_down_changes_nothing_before_it_and_ends_at_the_last_rate(at: int, data: st.DataObject) -> None:
    end = data.draw(st.integers(at + 2, 100))
    cooled = COURSE.cooled(CoolDown(at=at, end=end))
    assert cooled.end == end
    assert all(cooled.rate(step) == COURSE.rate(step) for step in range(at + 1))
    assert cooled.rate(end - 1) == pytest.approx(0.4 * final_rate(SCHEDULE))
    steps = [cooled.rate(step) for step in range(at, end)]
    assert steps == sorted(steps, reverse=steps[0] >= steps[-1])


def test_a_second_cool_down_starts_from_the_rate_of_the_first() -> None:
    once = COURSE.cooled(CoolDown(at=50, end=90))
    twice = once.cooled(CoolDown(at=60, end=70))
    assert twice.end == 70
    assert all(twice.rate(step) == once.rate(step) for step in range(61))
    assert twice.rate(69) == pytest.approx(0.4 * final_rate(SCHEDULE))


def test_what_the_plan_holds_and_what_the_journal_holds_are_one() -> None:
    first, second = CoolDown(at=50, end=90), CoolDown(at=60, end=70)
    rung = Rung(name="small", network=Linear(), steps=100, lr=0.4, cool_downs=(first,))
    assert Course.of(rung, SCHEDULE, (first, second)) == Course.of(rung, SCHEDULE, (second,))
    assert Course.of(rung, SCHEDULE, (first, second)).end == 70
