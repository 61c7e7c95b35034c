from itertools import pairwise
from math import ceil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.build.schedule import final_rate, rate
from fieldcraft.plan.schema import Constant, Cosine, OneCycle, Plateau, Restarts, Step

CYCLES = st.builds(
    OneCycle,
    warm_up=st.floats(0, 0.99),
    start=st.floats(0, 1),
    end=st.floats(0, 1),
    shape=st.sampled_from(["linear", "cosine"]),
)


@given(schedule=CYCLES, planned=st.integers(1, 400))
def test_rates_rise_to_the_peak_and_fall_to_the_end(schedule: OneCycle, planned: int) -> None:
    rates = [rate(schedule, step, planned=planned) for step in range(planned)]
    assert all(0 <= value <= 1 for value in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    if planned > 1 and schedule.warm_up * planned < planned - 1:
        assert rates[-1] == final_rate(schedule)


@given(schedule=CYCLES, planned=st.integers(50, 400))
def test_neighbouring_steps_are_near(schedule: OneCycle, planned: int) -> None:
    up, down = max(schedule.warm_up * planned - 1, 0), planned - 1 - max(schedule.warm_up * planned - 1, 0)
    steepest = 1.58 * (1 / max(up, 1) + 1 / max(down, 1))
    rates = [rate(schedule, step, planned=planned) for step in range(planned)]
    assert all(abs(a - b) <= steepest for a, b in pairwise(rates))


@pytest.mark.parametrize("shape", ["linear", "cosine"])
@pytest.mark.parametrize(("warm_up", "planned"), [(0.3, 100), (0.25, 37), (0.1, 1000), (0.5, 4)])
def test_it_is_the_one_cycle_of_torch(shape: str, warm_up: float, planned: int) -> None:
    schedule = OneCycle(warm_up=warm_up, start=0.04, end=0.001, shape=shape)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=1.0, total_steps=planned, pct_start=warm_up, div_factor=1 / 0.04,
        final_div_factor=0.04 / 0.001, anneal_strategy="cos" if shape == "cosine" else "linear", cycle_momentum=False,
    )  # fmt: skip
    for step in range(planned):
        assert rate(schedule, step, planned=planned) == pytest.approx(optimiser.param_groups[0]["lr"], abs=1e-12)
        optimiser.step()
        if step < planned - 1:
            theirs.step()


def test_constant_is_constant() -> None:
    assert [rate(Constant(), step, planned=5) for step in range(5)] == [1.0] * 5
    assert rate(Constant(), 4, planned=5) == final_rate(Constant()) == 1.0


@pytest.mark.parametrize("step", [-1, 5])
def test_steps_outside_the_course_are_refused(step: int) -> None:
    with pytest.raises(ValueError, match="0 <= step < 5"):
        rate(OneCycle(), step, planned=5)


OTHERS = st.one_of(
    st.builds(Cosine, warm_up=st.floats(0, 0.99), end=st.floats(0, 1)),
    st.builds(Step, warm_up=st.floats(0, 0.99), factor=st.floats(0.01, 0.99)),
    st.builds(
        Restarts, warm_up=st.floats(0, 0.99), cycles=st.integers(1, 5), growth=st.floats(1, 4), end=st.floats(0, 1)
    ),
    st.builds(Plateau, warm_up=st.floats(0, 0.99)),
)


@given(schedule=OTHERS, planned=st.integers(1, 300))
def test_every_schedule_rises_in_its_warm_up_and_never_passes_the_peak(schedule: Cosine, planned: int) -> None:
    rates = [rate(schedule, step, planned=planned) for step in range(planned)]
    first = ceil(schedule.warm_up * planned)
    assert all(0 <= value <= 1 + 1e-12 for value in rates)
    assert rates[:first] == sorted(set(rates[:first]))


def follow(planned: int, make) -> list[float]:
    """The rates that a scheduler of torch gives."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs, rates = make(optimiser), []
    for _ in range(planned):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        theirs.step()
    return rates


@pytest.mark.parametrize(("planned", "end"), [(100, 0.0), (37, 0.1)])
def test_cosine_is_that_of_torch(planned: int, end: float) -> None:
    schedule = Cosine(end=end)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR
    expected = follow(planned, lambda optimiser: cosine(optimiser, T_max=planned - 1, eta_min=end))
    assert [rate(schedule, step, planned=planned) for step in range(planned)] == pytest.approx(expected, abs=1e-9)
    assert rate(schedule, planned - 1, planned=planned) == pytest.approx(final_rate(schedule))


def test_steps_are_those_of_torch() -> None:
    schedule = Step(at=(0.5, 0.75), factor=0.1)
    steps = torch.optim.lr_scheduler.MultiStepLR
    expected = follow(80, lambda optimiser: steps(optimiser, milestones=[40, 60], gamma=0.1))
    assert [rate(schedule, step, planned=80) for step in range(80)] == pytest.approx(expected)
    assert final_rate(schedule) == pytest.approx(expected[-1])


def test_restarts_are_those_of_torch() -> None:
    """Descents of 10, 20 and 40 steps, the last of which torch leaves one step before its end."""
    schedule = Restarts(cycles=3, growth=2.0, end=0.05)
    restarts = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
    expected = follow(70, lambda optimiser: restarts(optimiser, T_0=10, T_mult=2, eta_min=0.05))
    found = [rate(schedule, step, planned=71) for step in range(71)]
    assert found[:70] == pytest.approx(expected, abs=1e-9)
    assert found[70] == pytest.approx(final_rate(schedule))


def test_one_restart_is_the_cosine() -> None:
    one, cosine = Restarts(cycles=1, warm_up=0.1, end=0.2), Cosine(warm_up=0.1, end=0.2)
    assert [rate(one, s, planned=50) for s in range(50)] == [rate(cosine, s, planned=50) for s in range(50)]
