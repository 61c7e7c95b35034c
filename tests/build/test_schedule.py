import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.build.schedule import final_rate, rate
from fieldcraft.plan.schema import Constant, OneCycle

CYCLES = st.builds(
    OneCycle,
    warm_up=st.floats(0, 0.9),
    start=st.floats(0, 1),
    end=st.floats(0, 1),
    shape=st.sampled_from(["linear", "cosine"]),
)


@given(cycle=CYCLES, planned=st.integers(1, 500))
def test_it_stays_between_nothing_and_the_peak_and_ends_where_it_says(cycle: OneCycle, planned: int) -> None:
    course = [rate(cycle, step, planned=planned) for step in range(planned)]
    assert all(-1e-12 <= value <= 1 + 1e-12 for value in course)
    if planned > 1 and cycle.warm_up * planned - 1 < planned - 1:
        assert course[-1] == pytest.approx(final_rate(cycle))


@given(cycle=CYCLES, planned=st.integers(50, 500))
def test_it_has_no_leaps(cycle: OneCycle, planned: int) -> None:
    course = [rate(cycle, step, planned=planned) for step in range(planned)]
    up = max(1.0, cycle.warm_up * planned - 1)
    down = planned - 1 - max(0.0, cycle.warm_up * planned - 1)
    steepest = 1.6 / min(up, down)
    assert all(abs(b - a) <= steepest + 1e-9 for a, b in zip(course, course[1:], strict=False))


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_it_is_torchs_one_cycle(shape: str) -> None:
    """torch's policy, with its start and end given as divisors."""
    steps, plan = 200, OneCycle(warm_up=0.3, start=0.04, end=0.001, shape=shape)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    policy = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=1.0, total_steps=steps, pct_start=0.3, anneal_strategy="cos" if shape == "cosine" else "linear",
        div_factor=25, final_div_factor=40, cycle_momentum=False,
    )  # fmt: skip
    for step in range(steps):
        assert optimiser.param_groups[0]["lr"] == pytest.approx(rate(plan, step, planned=steps), abs=1e-9)
        optimiser.step()
        if step < steps - 1:
            policy.step()


def test_a_step_outside_the_course_is_refused() -> None:
    with pytest.raises(ValueError, match="0 <= step < 10"):
        rate(Constant(), 10, planned=10)
    assert rate(Constant(), 9, planned=10) == final_rate(Constant()) == 1.0
