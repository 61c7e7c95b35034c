"""Splits: an exact partition, groups whole, classes shared out within one sample, time in order, as given."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fieldcraft.data.dataset import Dataset, Table, Targets
from fieldcraft.data.open import open_data
from fieldcraft.data.splits import Parts, part, read_parts, validates_at_random, write_parts
from fieldcraft.errors import DataError, RunError
from fieldcraft.plan.schema import Splits

SHARES = st.builds(Splits, validation=st.floats(0.05, 0.6), test=st.floats(0.05, 0.6))


def classified(codes: list[int], **extra: object) -> Dataset:
    count = len(codes)
    names = tuple(f"class {code}" for code in range(max(codes) + 1))
    dataset = Dataset(
        name="made",
        kind="frame",
        inputs=Table(frame=pd.DataFrame({"x": np.arange(count) * 1.5}), roles=(("x", "numeric"),)),
        targets=Targets(task="single-label", values=np.array(codes, np.int64), names=names),
        ids=tuple(map(str, range(count))),
    )
    return replace(dataset, **extra)


def is_partition(parts: Parts, count: int) -> bool:
    every = np.concatenate([parts.train, parts.validation, parts.test])
    ascending = all((np.diff(parts.rows(name)) > 0).all() for name in ("train", "validation", "test"))
    return ascending and sorted(every) == list(range(count))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=8), SHARES, st.integers(0, 2**31))
def test_a_draw_is_a_partition_stratified_within_one(counts: list[int], splits: Splits, seed: int) -> None:
    codes = np.repeat(np.arange(len(counts)), counts)
    assume(len(codes) >= 12 and sum(count > 2 for count in counts) >= 2)
    dataset = classified(np.random.default_rng(seed).permutation(codes).tolist())
    parts = part(dataset, splits, seed)
    assert is_partition(parts, len(codes))
    values = dataset.targets.values
    total = np.bincount(values)
    in_test = np.bincount(values[parts.test], minlength=len(total))
    assert (np.bincount(values[parts.train], minlength=len(total)) >= 1).all()
    share = round(splits.test * len(codes)) / len(codes)
    assert (np.abs(in_test - np.minimum(share * total, total - 1)) < 1 + 1e-9).all()
    rest = total - in_test
    in_validation = np.bincount(values[parts.validation], minlength=len(total))
    share = max(1, round(splits.validation * rest.sum())) / rest.sum()
    assert (np.abs(in_validation - np.minimum(share * rest, rest - 1)) < 1 + 1e-9).all()


@settings(max_examples=100, deadline=None)
@given(st.data(), SHARES, st.integers(0, 2**31))
def test_groups_are_never_torn(data: st.DataObject, splits: Splits, seed: int) -> None:
    groups = data.draw(st.lists(st.integers(0, 30), min_size=40, max_size=120))
    codes = data.draw(st.lists(st.integers(0, 2), min_size=len(groups), max_size=len(groups)))
    dataset = classified(codes, groups=np.array(groups).astype(np.str_))
    try:
        parts = part(dataset, splits, seed)
    except DataError as error:
        assert "without tearing groups" in str(error) or "no training sample" in str(error)
        return
    assert is_partition(parts, len(groups))
    of = [set(dataset.groups[parts.rows(name)]) for name in ("train", "validation", "test")]
    assert not (of[0] & of[1] or of[0] & of[2] or of[1] & of[2])


def test_many_small_groups_come_near_the_share_in_every_class() -> None:
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(200), random.integers(1, 8, 200))
    codes = (groups * 7919 % 5 == 0).astype(int)
    parts = part(classified(codes.tolist(), groups=groups.astype(np.str_)), Splits(test=0.2, validation=0.25), 0)
    for code in (0, 1):
        total = (codes == code).sum()
        assert abs((codes[parts.test] == code).sum() / total - 0.2) < 0.03
        assert abs((codes[parts.validation] == code).sum() / total - 0.2) < 0.03


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=12, max_size=80), SHARES)
def test_the_latest_samples_are_for_testing(days: list[int], splits: Splits) -> None:
    assume(len(set(days)) > 3)
    times = np.datetime64("2020-01-01", "s") + np.array(days) * np.timedelta64(1, "D")
    numbers = Targets(task="regression", values=np.arange(len(days), dtype=float)[:, None], names=("y",))
    dataset = classified([0] * len(days), times=times, targets=numbers)
    try:
        parts = part(dataset, splits, 0)
    except DataError as error:
        assert "without tearing moments" in str(error)
        return
    assert is_partition(parts, len(days))
    assert times[parts.train].max() < times[parts.validation].min()
    assert times[parts.validation].max() < times[parts.test].min()


def test_groups_with_times_go_by_their_latest_moment() -> None:
    days = np.arange(40)
    groups = np.where(days % 13 == 0, "spread", (days // 4).astype(str)).astype(np.str_)
    dataset = classified([0, 1] * 20, times=days.astype("datetime64[D]").astype("datetime64[s]"), groups=groups)
    parts = part(dataset, Splits(), 0)
    assert "spread" in groups[parts.test] and "spread" not in groups[parts.train]
    assert is_partition(parts, 40)


def test_the_seed_decides_and_nothing_else() -> None:
    dataset = open_data("digits")
    first, again, other = part(dataset, Splits(), 5), part(dataset, Splits(), 5), part(dataset, Splits(), 6)
    assert (first.test == again.test).all() and (first.validation == again.validation).all()
    assert set(first.test) != set(other.test)
    # Drawing less for validation leaves the test part as it was.
    assert (part(dataset, Splits(validation=0.3), 5).test == first.test).all()


def test_given_parts_stand_and_only_what_is_missing_is_drawn() -> None:
    codes = [0, 1] * 50
    given_all = np.array(["train"] * 60 + ["validation"] * 20 + ["test"] * 20)
    parts = part(classified(codes, given=given_all), Splits(), 0)
    assert parts.test.tolist() == list(range(80, 100)) and parts.validation.tolist() == list(range(60, 80))
    no_validation = np.array(["train"] * 80 + ["test"] * 20)
    parts = part(classified(codes, given=no_validation), Splits(validation=0.25), 0)
    assert parts.test.tolist() == list(range(80, 100)) and len(parts.validation) == 20
    no_test = np.array(["train"] * 80 + ["validation"] * 20)
    parts = part(classified(codes, given=no_test), Splits(test=0.25), 0)
    assert parts.validation.tolist() == list(range(80, 100)) and len(parts.test) == 20 and is_partition(parts, 100)


def test_validation_that_is_given_or_later_in_time_is_no_random_draw() -> None:
    codes = [0, 1] * 3
    assert validates_at_random(classified(codes))
    given = np.array(["train"] * 4 + ["test"] * 2)
    assert validates_at_random(classified(codes, given=given))
    assert not validates_at_random(classified(codes, given=np.where(given == "test", "validation", given)))
    times = np.arange(6).astype("datetime64[D]")
    assert not validates_at_random(classified(codes, times=times))


def test_a_class_without_training_samples_is_refused_by_name() -> None:
    given_parts = np.array(["train"] * 10 + ["test"] * 4 + ["validation"] * 2)
    with pytest.raises(DataError, match="'class 1'"):
        part(classified([0] * 10 + [1] * 6, given=given_parts), Splits(), 0)
    with pytest.raises(DataError, match="no training samples"):
        part(classified([0, 1], given=np.array(["test", "test"])), Splits(), 0)


def test_multi_label_and_numbers_are_spread_evenly() -> None:
    random = np.random.default_rng(0)
    values = (random.random((400, 3)) < (0.5, 0.2, 0.03)).astype(np.uint8)
    labels = Targets(task="multi-label", values=values, names=("a", "b", "c"))
    parts = part(classified([0] * 400, targets=labels), Splits(test=0.25), 0)
    assert np.abs(values[parts.test].mean(0) - values.mean(0)).max() < 0.06 and values[parts.test, 2].sum() >= 2
    numbers = random.exponential(size=(400, 1))
    parts = part(
        classified([0] * 400, targets=Targets(task="regression", values=numbers, names=("y",))), Splits(test=0.25), 0
    )
    deciles = np.searchsorted(np.quantile(numbers, np.linspace(0.1, 0.9, 9)), numbers[parts.test, 0])
    assert (np.abs(np.bincount(deciles, minlength=10) - 10) <= 1).all()


@given(st.lists(st.text(min_size=1, max_size=6), min_size=8, max_size=20, unique=True))
@settings(max_examples=40, deadline=None)
def test_lists_come_back_whatever_the_names_hold(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    names = [name.encode("utf-8", "ignore").decode() or "empty" for name in names]
    assume(len(set(names)) == len(names))
    folder = tmp_path_factory.mktemp("splits")
    parts = part(classified([0, 1] * (len(names) // 2) + [0] * (len(names) % 2)), Splits(), 0)
    write_parts(folder, parts, names)
    back = read_parts(folder, names)
    for name in ("train", "validation", "test"):
        assert (back.rows(name) == parts.rows(name)).all()


def test_lists_that_do_not_fit_the_data_are_refused(tmp_path: Path) -> None:
    dataset = classified([0, 1] * 20)
    write_parts(tmp_path, part(dataset, Splits(), 0), dataset.ids)
    with pytest.raises(RunError, match="the data has changed since"):
        read_parts(tmp_path, [f"other {name}" for name in dataset.ids])
    with pytest.raises(RunError, match="names 40 samples, the data has 41"):
        read_parts(tmp_path, [*dataset.ids, "one more"])
    (tmp_path / "test.txt").write_text("1\n")
    with pytest.raises(RunError, match="changed by hand"):
        read_parts(tmp_path, dataset.ids)


def test_a_handful_of_samples_can_still_be_parted() -> None:
    parts = part(classified([0, 1, 0, 1, 0, 1]), Splits(), 0)
    assert is_partition(parts, 6) and len(parts.validation) >= 1 and len(parts.test) >= 1
