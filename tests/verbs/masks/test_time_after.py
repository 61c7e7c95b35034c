"""The time that is kept for whole cases, which are predicted after training."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verbs.masks.made_masks import plan

from fieldcraft.data.splits import Parts
from fieldcraft.verbs.masks.time_after import AVERAGED_SHARE, Predictions, fitting, predictions_after, warm_seconds


@dataclass(frozen=True)
class Samples:
    """Stands in for samples: how many cases each part has."""

    parts: Parts


def samples(validation: int, test: int) -> Samples:
    return Samples(Parts(train=np.arange(0), validation=np.arange(validation), test=np.arange(test)))


def after(index: int, count: int, held: Samples, ensemble: str = "if-better") -> Predictions:
    made = plan((16, 16), steps=1)
    rungs = tuple(replace(made.ladder.rungs[0], name=f"net-{number}") for number in range(count))
    made = replace(made, ladder=replace(made.ladder, rungs=rungs, ensemble=ensemble))
    return predictions_after(index, made, held)  # type: ignore[arg-type]


def test_validation_by_each_that_is_left_and_the_end_by_one() -> None:
    held = samples(validation=30, test=50)
    found = after(0, 3, held, ensemble="none")
    assert found == Predictions(own=3 * 30, returned=16 + 50, averaged=30 + 16 + 50, networks=1)
    assert found.seconds(2.0, budget_s=1e6) == 2.0 * (90 + 66)
    assert after(2, 3, held).networks == 3
    assert after(0, 1, held).seconds(2.0, 1e6) == after(0, 1, held, ensemble="none").seconds(2.0, 1e6)


@given(
    validation=st.integers(1, 60), test=st.integers(1, 60), count=st.integers(2, 9),
    case_s=st.floats(0.01, 5.0), budget_s=st.floats(60, 3600),
)  # fmt: skip
def test_what_is_kept_for_averages_is_enough_for_them_or_nothing(
    validation: int, test: int, count: int, case_s: float, budget_s: float
) -> None:
    held = samples(validation, test)
    last = after(count - 1, count, held)
    alone_s = after(count - 1, count, held, ensemble="none").seconds(case_s, budget_s)
    kept_s = last.seconds(case_s, budget_s)
    assert alone_s <= kept_s <= alone_s + AVERAGED_SHARE * budget_s
    if kept_s > alone_s:
        left_s = kept_s - last.own * case_s + 1e-6 * kept_s  # once validation was predicted by the network itself
        assert 2 <= fitting(case_s, left_s, held) <= count  # type: ignore[arg-type]


def test_the_first_time_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now, takes = [0.0], [5.0, 0.5]

    def act() -> None:
        now[0] += takes.pop(0)

    monkeypatch.setattr("fieldcraft.verbs.masks.time_after.time.monotonic", lambda: now[0])
    assert warm_seconds(act) == 0.5
    assert not takes
