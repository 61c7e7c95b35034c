"""The time that is kept for whole cases, which are predicted after training."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.verbs.masks.made_masks import plan

from fieldcraft.data.splits import Parts
from fieldcraft.verbs.masks.time_after import Predictions, asked_at_the_end, predictions_after, warm_seconds


@dataclass(frozen=True)
class Samples:
    """Stands in for samples: how many cases each part has."""

    parts: Parts


def samples(validation: int, test: int) -> Samples:
    return Samples(Parts(train=np.arange(0), validation=np.arange(validation), test=np.arange(test)))


def test_validation_by_each_that_is_left_and_the_end_by_one() -> None:
    made = plan((16, 16), steps=1)
    first = made.ladder.rungs[0]
    three = replace(made, ladder=replace(made.ladder, rungs=tuple(replace(first, name=name) for name in "abc")))
    held = samples(validation=30, test=50)
    assert asked_at_the_end(held) == 16 + 50  # type: ignore[arg-type]
    assert predictions_after(0, three, held) == Predictions(cases=3 * 30 + 66, averaged=0)  # type: ignore[arg-type]
    together = replace(three, ladder=replace(three.ladder, ensemble="if-better"))
    assert predictions_after(2, together, held) == Predictions(cases=30 + 66, averaged=3 * 30 + 2 * 66)  # type: ignore[arg-type]
    alone = replace(together, ladder=replace(together.ladder, rungs=(first,)))
    assert predictions_after(0, alone, held).averaged == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("case_s", "kept"), [(0.01, 3.0), (0.1, 10.0 + 10.0), (1.0, 100.0 + 10.0)])
def test_averages_get_a_tenth_of_the_budget_at_most(case_s: float, kept: float) -> None:
    assert Predictions(cases=100, averaged=200).seconds(case_s, budget_s=100.0) == pytest.approx(kept)


def test_the_first_time_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((3.0, 3.5))
    monkeypatch.setattr("fieldcraft.verbs.masks.time_after.time.monotonic", lambda: next(moments))
    done: list[int] = []
    assert warm_seconds(lambda: done.append(1)) == 0.5
    assert len(done) == 2
