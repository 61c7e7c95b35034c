from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.plan.schema import CoolDown, Linear, OneCycle, Retiming, Rung
from fieldcraft.train.course import Course
from fieldcraft.train.pacing import BELIEVED, SETTLING, SURE, TAIL, WORTH, Pace, early_end, most_steps, own_s, retiming

COURSE = Course(schedule=OneCycle(), planned=1000, peak=0.1)


def known(step_s: float) -> Pace:
    """Measured for as long as it takes to be believed."""
    return Pace(recent=(step_s,) * BELIEVED)


@given(step=st.integers(0, 600), left=st.floats(0.01, 50), step_s=st.floats(0.001, 1), most=st.integers(0, 5000))
def test_a_retiming_ends_with_the_time_and_never_beyond_what_is_useful(
    step: int, left: float, step_s: float, most: int
) -> None:
    found = retiming(COURSE, step, known(step_s), left, most=most)
    times = left / (step_s * (1000 - step))
    if found is None:
        # Nothing to gain, no steps that may be added, or so few that the rate should go straight down.
        few = int(SURE * times * (1000 - step))
        assert 1 / WORTH <= times <= WORTH or (times > WORTH and most <= 1000) or few <= TAIL * (step + few)
        return
    assert found.at == step < found.end <= max(1000, most)
    assert (found.end - step) * step_s <= left
    assert (found.end > 1000) == (times > WORTH)


def test_only_a_pace_that_is_known_retimes_and_only_while_the_rate_is_high() -> None:
    assert retiming(COURSE, 100, known(0.01), 20.0, most=2000) is not None
    assert retiming(COURSE, 100, Pace(recent=(0.01,) * (BELIEVED - 1)), 20.0, most=2000) is None
    assert retiming(COURSE, 100, known(0.01), float("inf"), most=2000) is None
    assert retiming(COURSE, int(SETTLING * 1000) + 1, known(0.01), 20.0, most=2000) is None
    assert retiming(COURSE.cooled(CoolDown(at=90, end=95)), 91, known(0.01), 20.0, most=2000) is None


def test_what_was_compressed_is_stretched_again_up_to_the_plan() -> None:
    """A machine that was slow for a while: planned steps are always useful; a repeat ends where the first run did."""
    compressed = COURSE.retimed(Retiming(at=100, end=500))
    rung = Rung(name="small", network=Linear(), steps=1000, lr=0.1)
    assert retiming(compressed, 200, known(0.01), 50.0, most=most_steps(rung)) == Retiming(at=200, end=1000)
    assert retiming(compressed, 100, known(0.01), 50.0, most=1000) is None  # taken again after a fall-back
    repeat = replace(rung, retimings=compressed.retimings)
    assert retiming(compressed, 200, known(0.01), 50.0, most=most_steps(repeat)) is None
    assert most_steps(replace(repeat, most_steps=700)) == 700


def test_a_rung_that_has_used_its_share_is_not_compressed_to_nothing() -> None:
    """What others can spare of theirs is time for a cool-down."""
    assert retiming(COURSE, 400, known(0.01), 0.0, most=2000) is None
    assert retiming(COURSE, 400, known(0.01), 1.3, most=2000) is None
    assert retiming(COURSE, 400, known(0.01), 1.5, most=2000) == Retiming(at=400, end=545)


def test_steps_that_differ_count_by_their_work() -> None:
    assert retiming(COURSE, 100, known(0.01), 9.0, most=2000) is None
    found = retiming(COURSE, 100, known(0.01), 9.0, work=450, most=2000)
    assert found is not None and found.end > 1700


def paced(step_s: float) -> Pace:
    return Pace(recent=(step_s,))


def test_nothing_happens_while_the_time_suffices() -> None:
    assert early_end(COURSE, 500, paced(0.01), 5.01) is None
    assert early_end(COURSE, 500, paced(0.01), float("inf")) is None
    assert early_end(COURSE, 500, Pace(), 0.0) is None


def test_the_course_is_followed_until_a_quarter_is_left() -> None:
    assert early_end(COURSE, 300, paced(0.01), 2.0) is None  # 200 of 500 affordable steps are left
    found = early_end(COURSE, 390, paced(0.01), 1.1)  # 110 of 500
    assert found is not None and found.at == 390 and 390 < found.end <= 500


@given(step=st.integers(0, 999), left=st.floats(0, 20), step_s=st.floats(0.001, 1))
def test_an_early_end_always_fits_into_the_time_left(step: int, left: float, step_s: float) -> None:
    found = early_end(COURSE, step, paced(step_s), left)
    if found is not None:
        assert step <= found.end <= COURSE.end
        assert (found.end - step) * step_s <= left + 1e-9
        assert left / step_s <= TAIL * (step + left / step_s) + 1


@given(first=st.floats(0.2, 0.7), slower=st.floats(1.0, 50.0))
def test_a_machine_that_goes_on_slowing_down_still_ends_in_time(first: float, slower: float) -> None:
    """Simulated: a budget of `first` of what the plan needs, and steps that take longer from step 300 on."""
    left, step, course, pace = first * 10.0, 0, COURSE, Pace()
    while step < course.end:
        seconds = 0.01 * (slower if step >= 300 else 1.0)
        left -= seconds
        step += 1
        pace = pace.after(seconds, 1)
        if (found := early_end(course, step, pace, left)) is not None:
            course = course.cooled(found)
    assert left > -1.01 * 0.01 * slower  # never more than the step that was under way


def test_one_stall_is_no_pace_and_lasting_slowness_is() -> None:
    pace = Pace()
    for _ in range(50):
        pace = pace.after(2.0, 10)
    assert pace.step_s == 0.2
    assert pace.after(30.0, 1).step_s == 0.2
    for _ in range(30):
        pace = pace.after(4.0, 10)
    assert pace.step_s == 0.4


@given(share=st.floats(0.0, 1.0), whole=st.floats(1.0, 1000.0), ended_at=st.floats(0.0, 1.0))
def test_a_rung_that_was_ended_has_the_rest_of_its_share(share: float, whole: float, ended_at: float) -> None:
    before = ended_at * share * whole
    assert own_s(share, whole - before, before) == pytest.approx(share * whole - before, abs=1e-9 * whole)
    assert own_s(share, 0.0, whole) == 0.0
    assert own_s(1.0, whole, before) == pytest.approx(whole)
