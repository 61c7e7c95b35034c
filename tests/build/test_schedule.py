from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.build.schedule import final_rate, rate
from fieldcraft.plan.schema import Constant, OneCycle

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
