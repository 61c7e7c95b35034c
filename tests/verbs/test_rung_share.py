"""Which part of the time a rung may take."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tips.known_briefs import DIGITS
from tests.verbs.made_data import plan
from tests.verbs.made_work import work

from fieldcraft.plan.schema import Mlp, Rung
from fieldcraft.records.fact import Fact
from fieldcraft.tips.interface import StepTime
from fieldcraft.verbs.rung import _reserve_s

RUNGS = tuple(Rung(name=name, network=Mlp(widths=(8,)), steps=steps, lr=0.1) for name, steps in (("a", 60), ("b", 20)))
PLAN = plan(rungs=RUNGS)


def own(path: Path, *milliseconds: float, spent_s: float = 0.0, before_s: float = 0.0) -> float:
    """Seconds that the first rung may take of a hundred, where the first so many were timed."""
    keys = [StepTime(plan=PLAN, rung=place).key for place in range(len(milliseconds))]
    measured = {key: Fact(value=ms, method="m", sample="s") for key, ms in zip(keys, milliseconds, strict=True)}
    work(path, budget_s=100.0, now=lambda: spent_s).tick("baselines")
    surroundings = work(path, budget_s=100.0, now=lambda: spent_s + before_s)
    surroundings.tick("rung a")
    facts = replace(DIGITS.facts, measured=measured)
    return surroundings.clock.left_s - _reserve_s(0, PLAN, facts, surroundings, 0.0, slack=1.0)


def test_it_is_shared_by_the_time_of_all_steps(tmp_path: Path) -> None:
    assert own(tmp_path, 10.0, 30.0) == pytest.approx(50.0)


def test_steps_alone_count_where_not_all_were_timed(tmp_path: Path) -> None:
    """Milliseconds of one and nothing of another cannot be weighed against each other."""
    assert own(tmp_path / "none") == own(tmp_path / "one", 500.0) == pytest.approx(75.0)


def test_a_rung_that_goes_on_has_taken_some_of_its_share(tmp_path: Path) -> None:
    assert own(tmp_path, 10.0, 30.0, spent_s=20.0, before_s=30.0) == pytest.approx(0.5 * 80.0 - 30.0)
