"""The parts of symmetry: changes, folds, closed form, interval."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from fieldcraft.fingerprint.changes import ALL, changes_for
from fieldcraft.fingerprint.closed_form import PENALTIES, crossfit
from fieldcraft.fingerprint.goal import goal_of
from fieldcraft.fingerprint.paired import paired_interval
from fieldcraft.fingerprint.subsample import evened, whole_folds
from fieldcraft.records.deep_facts import Transform


def images(count: int = 6, height: int = 12, width: int = 12, channels: int = 3) -> torch.Tensor:
    return torch.randn(count, channels, height, width, generator=torch.Generator().manual_seed(0))


def change(name: Transform, of: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return next(one for one in ALL if one.transform == name).apply(of, seed)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.transform)
@pytest.mark.parametrize("size", [(12, 12), (9, 17)])
def test_changes_keep_shape_and_repeat(one, size: tuple[int, int]) -> None:
    before = images(5, *size)
    kept = before.clone()
    after = one.apply(before, 3)
    assert after.shape == before.shape
    assert torch.equal(after, one.apply(before, 3))
    assert torch.equal(before, kept)
    assert not torch.allclose(after, before)
    assert after.isfinite().all()


def test_flips_and_turns_are_what_they_are_called() -> None:
    square = images()
    assert torch.equal(change("flip-horizontal", change("flip-horizontal", square)), square)
    assert torch.equal(change("flip-vertical", square)[:, :, 0], square[:, :, -1])
    turned = change("quarter-turns", square, seed=1)
    for before, after in zip(square, turned, strict=True):
        assert any(torch.equal(torch.rot90(before, quarters, (1, 2)), after) for quarters in (1, 2, 3))


def test_colour_and_light_are_changed_as_said() -> None:
    before = images()
    gray = change("gray", before)
    assert torch.equal(gray[:, 0], gray[:, 2])
    assert torch.allclose(gray[:, 0], 0.299 * before[:, 0] + 0.587 * before[:, 1] + 0.114 * before[:, 2], atol=1e-6)
    shift = change("brightness", before) - before
    assert torch.allclose(shift, shift[:, :1, :1, :1].expand_as(shift), atol=1e-5)
    assert shift.abs().max() <= 0.5
    contrast = change("contrast", before)
    assert torch.allclose(contrast.mean(dim=(1, 2, 3)), before.mean(dim=(1, 2, 3)), atol=1e-5)
    ratio = contrast.std(dim=(1, 2, 3)) / before.std(dim=(1, 2, 3))
    assert ((ratio >= 0.7) & (ratio <= 1.3)).all()


def test_blur_keeps_what_is_flat_and_smooths_the_rest() -> None:
    assert torch.allclose(change("blur", torch.full((2, 1, 20, 20), 3.0)), torch.full((2, 1, 20, 20), 3.0), atol=1e-5)
    before = images(4, 24, 24)
    assert (change("blur", before).std(dim=(1, 2, 3)) < 0.95 * before.std(dim=(1, 2, 3))).all()


def test_only_what_makes_sense_is_tried() -> None:
    assert len(changes_for(images(3, 32, 32))) == 10
    colourless = images(3, 32, 32, 1).expand(-1, 3, -1, -1)
    assert "gray" not in {one.transform for one in changes_for(colourless)}
    assert {one.transform for one in ALL} - {one.transform for one in changes_for(images(3, 8, 8, 1))} == {
        "gray",
        "blur",
    }


# ---------------------------------------------------------------- samples


@given(counts=st.lists(st.integers(1, 30), min_size=1, max_size=6), most=st.integers(1, 80), seed=st.integers(0, 9))
def test_evened_takes_as_many_of_each_as_it_can(counts: list[int], most: int, seed: int) -> None:
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = evened(strata, most, np.random.default_rng(seed))
    assert len(rows) == min(most, len(strata)) == len(np.unique(rows))
    taken = np.bincount(strata[rows], minlength=len(counts))
    for number, count in enumerate(counts):
        assert taken[number] == count or taken[number] >= taken.max() - 1


@given(units=st.lists(st.integers(0, 12), min_size=8, max_size=60), seed=st.integers(0, 9))
def test_folds_keep_units_whole(units: list[int], seed: int) -> None:
    codes = np.array(units)
    fold = whole_folds(codes % 3, codes, 4, np.random.default_rng(seed))
    for unit in set(units):
        assert len(set(fold[codes == unit])) == 1
    assert len(set(fold)) == min(4, len(set(units)))


def test_folds_of_single_samples_are_stratified() -> None:
    strata = np.repeat([0, 1], [100, 20])
    fold = whole_folds(strata, np.arange(120), 4, np.random.default_rng(0))
    for number in range(4):
        assert np.bincount(strata[fold == number]).tolist() == [25, 5]


# ---------------------------------------------------------------- models


def test_crossfit_is_ridge_on_the_other_folds() -> None:
    random = np.random.default_rng(0)
    plain, changed = random.normal(size=(2, 60, 5)).astype(np.float32) + 1
    target = random.normal(size=(60, 2)).astype(np.float32) + 3
    fold = np.arange(60) % 3
    crossed = crossfit(*map(torch.from_numpy, (plain, changed, target, fold)), share=0.5)
    expected, best = None, np.inf
    for penalty in PENALTIES:
        said, said_changed = np.zeros_like(target), np.zeros_like(target)
        for number in range(3):
            seen = fold != number
            features = np.concatenate([plain[seen], changed[seen]])
            weight = np.full(len(features), 0.5)
            alpha = penalty * (0.5 * np.square(features).sum(axis=0)).mean()
            model = Ridge(alpha=alpha, solver="cholesky").fit(features, np.tile(target[seen], (2, 1)), weight)
            said[~seen], said_changed[~seen] = model.predict(plain[~seen]), model.predict(changed[~seen])
        if np.square(said - target).mean() < best:
            expected, best = (said, said_changed), np.square(said - target).mean()
    assert np.allclose(crossed.plain.numpy(), expected[0], atol=1e-3)
    assert np.allclose(crossed.changed.numpy(), expected[1], atol=1e-3)


def test_copies_equal_to_the_samples_change_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    features, target = torch.randn(40, 6, generator=generator), torch.randn(40, 1, generator=generator)
    fold = torch.arange(40) % 4
    without = crossfit(features, features, target, fold, share=0.0)
    assert torch.allclose(crossfit(features, features, target, fold, share=0.5).plain, without.plain, atol=1e-4)


def test_goals_score_what_is_said() -> None:
    classes = goal_of(np.array([7, 7, 9]))
    assert classes.score(torch.tensor([[1.0, 0], [0, 1], [0, 1]])).tolist() == [1, 0, 1]
    assert classes.guess.tolist() == [1, 1, 0]
    labels = goal_of(np.array([[1.0, 0], [1, 1], [1, 0]]))
    assert labels.score(torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.2, 0.7]])).tolist() == [1, 0.5, 0]
    assert labels.guess.tolist() == [1, 0.5, 1]
    numbers = goal_of(np.array([1.0, 2, 3, 6]))
    assert numbers.score(numbers.encoded).tolist() == [1, 1, 1, 1]
    assert float(numbers.guess.mean()) == pytest.approx(0, abs=1e-6)
    assert [one.measure for one in (classes, labels, numbers)] == ["accuracy", "share of right labels", "R2"]


# ---------------------------------------------------------------- interval


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Draws that share half of their samples, with effects of samples and of draws; 90 %, no less."""
    random = np.random.default_rng(0)
    held = []
    for _ in range(300):
        effect = random.normal(0.1, 1, 400)
        rows = [random.choice(400, 200, replace=False) for _ in range(5)]
        gains = [effect[some] + random.normal(0, 0.05) + random.normal(0, 0.5, 200) for some in rows]
        found = paired_interval(gains, rows)
        held.append(found.low <= 0.1 <= found.high)
    assert np.mean(held) >= 0.88


def test_samples_of_one_group_count_as_one() -> None:
    gain = np.repeat(np.random.default_rng(0).normal(size=20), 10)
    alone = paired_interval([gain, gain], [np.arange(200)] * 2)
    grouped = paired_interval([gain, gain], [np.arange(200) // 10] * 2)
    assert grouped.mean == alone.mean
    assert (grouped.high - grouped.low) == pytest.approx((alone.high - alone.low) * 10**0.5)
