from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.plan.schema import Constant, CoolDown, Retiming, SmallerImages
from fieldcraft.train.course import Course
from fieldcraft.train.pacing import Pace, early_end
from fieldcraft.train.sizes import Sizes

PROGRESSIVE = (SmallerImages(until=0.3, px=16), SmallerImages(until=0.6, px=24))
SIZES = Sizes.of(PROGRESSIVE, 100, (0.25, 0.5))


def course(*cool_downs: CoolDown) -> Course:
    return Course(schedule=Constant(), planned=100, peak=0.1, cool_downs=cool_downs)


def sides(known: Course) -> list[int | None]:
    return [None if (stage := SIZES.at(step, known)) is None else stage.side for step in range(known.end)]


def test_sizes_grow_at_their_steps() -> None:
    assert sides(course()) == [16] * 30 + [24] * 30 + [None] * 40


def test_a_cool_down_is_on_whole_images() -> None:
    assert sides(course(CoolDown(at=20, end=40))) == [16] * 20 + [None] * 20


def test_a_course_that_was_retimed_reaches_them_at_the_same_shares() -> None:
    assert sides(course().retimed(Retiming(at=0, end=200))) == [16] * 60 + [24] * 60 + [None] * 80
    assert sides(course().retimed(Retiming(at=30, end=65))) == [16] * 30 + [24] * 15 + [None] * 20


@given(
    first=st.integers(0, 100), more=st.integers(0, 100), at=st.none() | st.integers(0, 100), length=st.integers(0, 50),
    end=st.none() | st.integers(11, 300),
)  # fmt: skip
def test_work_is_the_sum_of_what_each_step_costs(
    first: int, more: int, at: int | None, length: int, end: int | None
) -> None:
    known = course() if at is None else course(CoolDown(at=at, end=at + length))
    known = known if end is None else known.retimed(Retiming(at=10, end=end))
    last = first + more
    slow = sum(1.0 if (stage := SIZES.at(step, known)) is None else stage.cost for step in range(first, last))
    assert abs(SIZES.work(first, last, known) - slow) < 1e-9


def test_cheap_steps_do_not_make_the_rest_look_cheap() -> None:
    pace = Pace().after(5.0, SIZES.work(0, 20, course()))  # 20 steps at a quarter: a whole step takes one second
    assert pace.step_s == 1.0
    left = SIZES.work(20, 100, course())
    assert early_end(course(), 20, pace, left + 0.5, work=left) is None
    assert early_end(course(), 20, pace, 4.0, work=left) == CoolDown(at=20, end=23)


def test_without_sizes_every_step_is_whole() -> None:
    assert Sizes().work(3, 50, course()) == 47
    assert Sizes().at(0, course()) is None
