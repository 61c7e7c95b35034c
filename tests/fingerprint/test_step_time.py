from collections.abc import Callable

import pytest

from fieldcraft.fingerprint.step_time import interleaved


class Machine:
    """A clock that only moves when a step runs."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def step(self, name: str, *seconds: float) -> Callable[[], None]:
        """A step that takes so long at each call; the last figure holds from then on."""
        left = list(seconds)

        def run() -> None:
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run

    def clock(self) -> float:
        return self.now


def test_candidates_take_turns_after_a_warm_up() -> None:
    machine = Machine()
    steps = {"a": machine.step("a", 9.0, 0.002), "b": machine.step("b", 9.0, 0.003)}
    times = interleaved(steps, rounds=3, limit_s=100, clock=machine.clock)
    assert machine.log == ["a", "b"] * 4
    assert {key: fact.value for key, fact in times.items()} == pytest.approx({"a": 2.0, "b": 3.0})
    assert times["a"].sample == "3 steps after one to warm up, in turn with 1 more"


def test_the_median_forgives_a_disturbance() -> None:
    machine = Machine()
    times = interleaved({"a": machine.step("a", 9, 2, 50, 2)}, rounds=3, limit_s=1000, clock=machine.clock)
    assert times["a"].value == pytest.approx(2000)


def test_a_disturbance_of_every_round_does_not_count_when_the_warm_up_was_faster() -> None:
    machine = Machine()
    steps = {"a": machine.step("a", 0.1, 2.0), "b": machine.step("b", 0.2, 2.5)}
    times = interleaved(steps, limit_s=1, clock=machine.clock)
    assert {key: fact.value for key, fact in times.items()} == pytest.approx({"a": 100, "b": 200})
    assert machine.log == ["a", "b", "a", "b"]


def test_a_round_that_takes_far_too_long_is_not_finished() -> None:
    machine = Machine()
    steps = {name: machine.step(name, 0.1, 3.0) for name in "abc"}
    interleaved(steps, limit_s=1, clock=machine.clock)
    assert machine.log == ["a", "b", "c", "a", "b"]


def test_no_round_begins_that_would_end_too_late() -> None:
    machine = Machine()
    interleaved({"a": machine.step("a", 1), "b": machine.step("b", 1)}, rounds=9, limit_s=7, clock=machine.clock)
    assert machine.now == 6


def test_at_least_one_round_is_timed() -> None:
    machine = Machine()
    times = interleaved({"a": machine.step("a", 5), "b": machine.step("b", 7)}, limit_s=7, clock=machine.clock)
    assert machine.log == ["a", "b", "a", "b"]
    assert [fact.value for fact in times.values()] == [5000, 7000]


def test_warm_ups_that_took_far_too_long_are_the_answer() -> None:
    machine = Machine()
    times = interleaved({"a": machine.step("a", 5), "b": machine.step("b", 7)}, limit_s=3, clock=machine.clock)
    assert machine.log == ["a", "b"]
    assert [fact.value for fact in times.values()] == [5000, 7000]
    assert "warm-up in it" in times["a"].sample


def test_what_time_does_not_suffice_for_is_left_out() -> None:
    machine = Machine()
    steps = {name: machine.step(name, 3) for name in "abc"}
    times = interleaved(steps, limit_s=1, clock=machine.clock)
    assert machine.log == ["a", "b"] and "c was not tried" in times["a"].sample


def test_what_cannot_run_is_left_out_and_named() -> None:
    machine = Machine()

    def unsupported() -> None:
        raise NotImplementedError("no bf16\non this device")

    times = interleaved({"bf16": unsupported, "fp32": machine.step("a", 1)}, limit_s=100, clock=machine.clock)
    assert list(times) == ["fp32"]
    assert times["fp32"].sample.endswith("4 steps after one to warm up; bf16 did not run (no bf16 on this device)")


def test_what_stops_running_later_is_left_out_too() -> None:
    machine = Machine()
    calls = iter(range(100))

    def leak() -> None:
        if next(calls) == 2:
            raise RuntimeError("out of memory")

    times = interleaved({"leak": leak, "fine": machine.step("a", 1)}, limit_s=100, clock=machine.clock)
    assert list(times) == ["fine"]
    assert len(machine.log) == 5


def test_nothing_that_runs_gives_nothing() -> None:
    def broken() -> None:
        raise RuntimeError

    assert interleaved({"a": broken}, limit_s=1) == {}
    assert interleaved({}, limit_s=1) == {}


def test_other_errors_are_not_hidden() -> None:
    def wrong() -> None:
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        interleaved({"a": wrong}, limit_s=1)
