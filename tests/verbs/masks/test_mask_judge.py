"""Comparing candidates case by case: groups count once, and slices of one volume are compared by themselves."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.verbs.masks.made_masks import plan

from fieldcraft.verbs.masks.judge import MaskJudge

OLD = np.array([[0.70, 0.60], [0.72, np.nan], [0.68, 0.61], [0.71, 0.59]])
NEW = OLD + np.array([[0.05], [0.06], [0.05], [0.04]])


def judge(groups: list[str]) -> MaskJudge:
    samples = SimpleNamespace(
        group=lambda row: groups[row],
        parts=SimpleNamespace(validation=np.arange(4)),
        dataset=SimpleNamespace(ids=("a", "b", "c", "d")),
    )
    return MaskJudge(plan=plan((8, 8)), samples=samples)  # type: ignore[arg-type]


def test_the_value_is_a_mean_over_cases_of_the_mean_over_classes() -> None:
    assert judge(list("abcd")).value(OLD) == pytest.approx((0.65 + 0.72 + 0.645 + 0.65) / 4)


@pytest.mark.parametrize("groups", [list("abcd"), ["one"] * 4])
def test_a_steady_gain_is_seen_case_by_case_also_within_one_volume(groups: list[str]) -> None:
    found = judge(groups).compare(NEW, OLD)
    each = np.array([0.05, 0.03, 0.05, 0.04])  # a class that is rightly absent counts as the same in both
    assert found.better and found.gain == pytest.approx(each.mean())
    assert found.noise == pytest.approx(each.std(ddof=1) / 2)


def test_groups_count_once() -> None:
    found = judge(["p", "p", "q", "q"]).compare(NEW, OLD)
    assert found.noise == pytest.approx(np.std([0.04, 0.045], ddof=1) / np.sqrt(2))


def test_what_is_said_names_the_measure_as_people_do() -> None:
    assert judge(list("abcd")).compare(NEW, OLD).words == "Dice better by 0.043 ± 0.005, more than the noise"
