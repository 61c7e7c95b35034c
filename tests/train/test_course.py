import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.build.schedule import final_rate, rate
from fieldcraft.plan.schema import CoolDown, Linear, OneCycle, Retiming, Rung
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


@given(
    ends=st.lists(st.integers(0, 400), min_size=1, max_size=4),
    at=st.lists(st.integers(0, 98), min_size=4, max_size=4, unique=True),
)
def test_retimings_go_along_the_same_course_to_its_end(ends: list[int], at: list[int]) -> None:
    """Whatever was decided, rates follow the planned ones without a leap, and the last step has the last rate."""
    course = COURSE
    for place, more in zip(sorted(at), ends, strict=False):
        if place >= course.end - 1:
            break
        before = [course.rate(step) for step in range(place + 1)]
        course = course.retimed(Retiming(at=place, end=place + 2 + more))
        assert [course.rate(step) for step in range(place + 1)] == pytest.approx(before)
    along = [course.along(step) for step in range(course.end)]
    assert along[0] == 0 and along == sorted(along) and along[-1] <= 99
    for step, place in enumerate(along):
        if place == int(place) and place < 99:
            assert course.rate(step) == pytest.approx(COURSE.rate(int(place)))
    for place in range(100):
        first = course.reached(place)
        assert first == course.end or along[first] >= place
        assert not first or along[first - 1] < place


def test_a_stretched_course_takes_the_planned_rates_at_half_the_speed() -> None:
    stretched = COURSE.retimed(Retiming(at=20, end=180))
    assert stretched.end == 180
    assert [stretched.rate(step) for step in range(20)] == [COURSE.rate(step) for step in range(20)]
    assert stretched.rate(40) == pytest.approx(COURSE.rate(30))
    assert stretched.rate(41) == pytest.approx(0.4 * rate(SCHEDULE, 30.5, planned=100))
    compressed = COURSE.retimed(Retiming(at=20, end=60))
    assert compressed.rate(40) == pytest.approx(COURSE.rate(60))
    assert compressed.cooled(CoolDown(at=50, end=55)).end == 55


def test_what_the_plan_holds_and_what_the_journal_holds_are_one() -> None:
    first, second = CoolDown(at=50, end=90), CoolDown(at=60, end=70)
    rung = Rung(name="small", network=Linear(), steps=100, lr=0.4, cool_downs=(first,))
    assert Course.of(rung, SCHEDULE, (first, second)) == Course.of(rung, SCHEDULE, (second,))
    assert Course.of(rung, SCHEDULE, (first, second)).end == 70
    longer = Retiming(at=10, end=150)
    rung = Rung(name="small", network=Linear(), steps=100, lr=0.4, retimings=(longer,))
    assert Course.of(rung, SCHEDULE, (longer, second)) == COURSE.retimed(longer).cooled(second)
