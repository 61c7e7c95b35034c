import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.plan.schema import CoolDown, Cosine, Patience, Plateau, Restarts, Step
from fieldcraft.train.course import Course
from fieldcraft.train.progress import Seen, best, cuts, ended

METRICS = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), max_size=14)


def looks(metrics: list[float]) -> tuple[Seen, ...]:
    return tuple(Seen(10 * (place + 1), metric) for place, metric in enumerate(metrics))


@given(metrics=METRICS, patience=st.integers(1, 4), higher=st.booleans(), min_gain=st.sampled_from([0.0, 0.15]))
def test_the_rate_is_cut_where_torch_cuts_it(metrics, patience: int, higher: bool, min_gain: float) -> None:
    weight = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, mode="max" if higher else "min", factor=0.5, patience=patience - 1, threshold=min_gain,
        threshold_mode="abs", eps=0.0,
    )  # fmt: skip
    expected, before = [], 1.0
    for one in looks(metrics):
        theirs.step(one.metric)
        if optimiser.param_groups[0]["lr"] != before:
            expected.append(one.step)
        before = optimiser.param_groups[0]["lr"]
    plateau = Plateau(patience=patience, min_gain=min_gain)
    assert list(cuts(plateau, looks(metrics), higher=higher)) == expected


@given(metrics=METRICS, patience=st.integers(1, 4), higher=st.booleans())
def test_patience_ends_where_the_best_is_so_many_looks_ago(metrics, patience: int, higher: bool) -> None:
    seen = looks(metrics)
    top = best(seen, higher=higher)
    assert (top is None) == (not seen)
    since = len(seen) - 1 - seen.index(top) if top else 0
    assert ended(Patience(looks=patience), seen, higher=higher) == (since >= patience)


def test_no_number_is_never_the_best() -> None:
    seen = looks([float("nan"), 0.1, float("nan")])
    assert best(seen, higher=True) == seen[1]
    assert best(seen, higher=False) == seen[1]
    assert ended(Patience(looks=1), seen, higher=True)


def test_looks_on_the_way_up_do_not_count() -> None:
    seen = looks([0.3, 0.2, 0.2, 0.2, 0.2])
    assert cuts(Plateau(), seen, higher=True, first=25) == (40, 50)


def test_a_course_follows_what_was_seen_down_to_its_least_rate() -> None:
    course = Course(schedule=Plateau(factor=0.1, end=0.05), planned=100, peak=2.0)
    followed = course.after(looks([0.5, 0.4, 0.4]), higher=True)
    assert followed.cuts == (20, 30)
    assert [followed.rate(step) for step in (0, 19, 20, 29, 30, 99)] == pytest.approx([2, 2, 0.2, 0.2, 0.1, 0.1])
    plain = Course(schedule=Cosine(), planned=100, peak=2.0)
    assert plain.after(looks([0.5, 0.4, 0.4]), higher=True) is plain


@pytest.mark.parametrize("schedule", [Cosine(), Step(), Restarts(), Plateau()], ids=lambda one: one.kind)
def test_each_can_cool_down_early(schedule) -> None:
    course = Course(schedule=schedule, planned=100, peak=0.4).after(looks([0.5, 0.4, 0.4]), higher=True)
    cooled = course.cooled(CoolDown(at=40, end=60))
    assert [cooled.rate(step) for step in range(41)] == [course.rate(step) for step in range(41)]
    steps = [cooled.rate(step) for step in range(40, 60)]
    assert steps == sorted(steps, reverse=True)
    later = cooled.after(looks([0.5, 0.4, 0.4, 0.6, 0.4]), higher=True)
    assert [later.rate(step) for step in range(60)] == [cooled.rate(step) for step in range(60)]
