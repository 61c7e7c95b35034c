"""Baselines: scores in one convention, strong where the field says so, in time, and repeatable."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from fieldcraft.baselines import boosting, fit_baseline
from fieldcraft.baselines.deadline import Deadline
from fieldcraft.baselines.folds import assign_folds, subsample
from fieldcraft.errors import DataError

KINDS = ("majority", "linear", "boosting")


def parts(features, targets, seed=1):
    train_x, test_x, train_y, test_y = train_test_split(features, targets, test_size=0.25, random_state=seed)
    scaler = StandardScaler().fit(train_x)
    return scaler.transform(train_x).astype("f4"), scaler.transform(test_x).astype("f4"), train_y, test_y


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 4)).astype("f4")
    return features, (features[:, 0] > 0).astype(np.int64) + (features[:, 1] > 1)


def test_majority_is_the_shares_and_the_mean(small):
    features, classes = small
    scores = fit_baseline("majority", features, classes, "single-label", 3, seconds=None, threads=1, seed=0)
    expected = np.bincount(classes, minlength=3) / len(classes)
    np.testing.assert_allclose(scores.scores(features[:2]), np.tile(expected, (2, 1)))
    numbers = features[:, :2].astype("f8")
    mean = fit_baseline("majority", features, numbers, "regression", 2, seconds=None, threads=1, seed=0)
    np.testing.assert_allclose(mean.scores(features[:2]), np.tile(numbers.mean(0), (2, 1)))
    labels = (numbers > 0).astype(np.uint8)
    share = fit_baseline("majority", features, labels, "multi-label", 2, seconds=None, threads=1, seed=0)
    np.testing.assert_allclose(share.scores(features[:2]), np.tile(labels.mean(0), (2, 1)))


def test_linear_is_strong_on_breast_cancer():
    train_x, test_x, train_y, test_y = parts(*load_breast_cancer(return_X_y=True))
    fitted = fit_baseline("linear", train_x, train_y, "single-label", 2, seconds=None, threads=1, seed=0)
    scores = fitted.scores(test_x)
    assert (scores.argmax(1) == test_y).mean() >= 0.97
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-6)
    assert "cross-validation" in fitted.note


def test_linear_is_strong_on_diabetes_and_boosting_beats_the_mean():
    errors = {}
    for kind in KINDS:
        found = []
        for seed in (1, 2):
            train_x, test_x, train_y, test_y = parts(*load_diabetes(return_X_y=True), seed=seed)
            fitted = fit_baseline(kind, train_x, train_y, "regression", 1, seconds=None, threads=1, seed=0)
            assert fitted.scores(test_x).shape == (len(test_x), 1)
            found.append(np.mean((fitted.scores(test_x)[:, 0] - test_y) ** 2))
        errors[kind] = np.sqrt(np.mean(found))
    assert errors["linear"] < 56
    assert errors["linear"] < errors["majority"]
    assert errors["boosting"] < errors["majority"]


def test_the_loss_over_folds_is_that_of_samples_held_out():
    """Near that of a test part of the same samples; where there are no folds, there is none."""
    found = {}
    for kind in ("linear", "boosting"):
        losses = []
        for seed in (1, 2):
            train_x, test_x, train_y, test_y = parts(*load_diabetes(return_X_y=True), seed=seed)
            fitted = fit_baseline(kind, train_x, train_y, "regression", 1, seconds=None, threads=1, seed=0)
            assert len(fitted.folds) == 5
            losses.append((np.mean(fitted.folds), np.mean((fitted.scores(test_x)[:, 0] - test_y) ** 2)))
        found[kind], test = np.mean(losses, axis=0)
        assert found[kind] == pytest.approx(test, rel=0.2)
    assert found["linear"] < found["boosting"]
    rng = np.random.default_rng(0)
    many = rng.normal(size=(6_000, 2)).astype("f4")
    assert fit_baseline("linear", many, many[:, 0], "regression", 1, seconds=None, threads=1, seed=0).folds == ()


def test_folds_that_hold_one_class_each_give_no_loss():
    features, classes = np.arange(40, dtype="f4")[:, None], np.repeat([0, 1], 20)
    for kind in ("linear", "boosting"):
        fitted = fit_baseline(
            kind, features, classes, "single-label", 2, seconds=None, threads=1, seed=0, groups=classes.astype(str)
        )
        assert fitted.folds == ()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_work_gives_the_same_scores_without_a_clock(kind, small):
    features, classes = small
    first, second = (
        fit_baseline(kind, features, classes, "single-label", 3, seconds=None, threads=1, seed=5) for _ in range(2)
    )
    np.testing.assert_array_equal(first.scores(features), second.scores(features))
    assert first.note == second.note


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_was_absent_has_probability_zero(kind, small):
    features, classes = small
    fitted = fit_baseline(kind, features, classes * 2, "single-label", 6, seconds=0.3, threads=1, seed=0)
    scores = fitted.scores(features)
    assert scores.shape == (len(features), 6) and scores.dtype == np.float64
    assert (scores[:, [1, 3, 5]] == 0).all()
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["linear", "boosting"])
def test_labels_are_learnt_one_by_one_and_a_constant_label_is_no_error(kind, small):
    features, _ = small
    labels = np.column_stack([features[:, 0] > 0, np.zeros(len(features)), features[:, 1] < 0]).astype(np.uint8)
    fitted = fit_baseline(kind, features, labels, "multi-label", 3, seconds=0.5, threads=1, seed=0)
    scores = fitted.scores(features)
    assert ((scores >= 0.5) == labels).mean() > 0.9
    assert (scores[:, 1] == 0).all()


@pytest.mark.parametrize("kind", ["linear", "boosting"])
def test_several_targets(kind, small):
    features, _ = small
    targets = np.column_stack([features[:, 0] * 100, features[:, 1] - 5]).astype("f8")
    fitted = fit_baseline(kind, features, targets, "regression", 2, seconds=0.5, threads=1, seed=0)
    scores = fitted.scores(features)
    assert scores.shape == targets.shape
    assert (((scores - targets) ** 2).mean(0) < 0.5 * targets.var(0)).all()


@pytest.mark.parametrize("kind", ["linear", "boosting"])
def test_a_large_set_is_subsampled_and_says_so(kind):
    rng = np.random.default_rng(1)
    features = rng.normal(size=(30_000, 40)).astype("f4")
    classes = (features[:, 0] + 0.3 * rng.normal(size=len(features)) > 0).astype(np.int64)
    fitted = fit_baseline(kind, features, classes, "single-label", 2, seconds=0.2, threads=2, seed=0)
    assert (fitted.scores(features[:2000]).argmax(1) == classes[:2000]).mean() > 0.8
    assert fitted.sample == "all 30,000 training samples" or "of 30,000" in fitted.sample


@pytest.mark.parametrize("kind", ["linear", "boosting"])
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_a_handful_of_samples_is_enough(kind, n):
    features = np.arange(n * 2, dtype="f4").reshape(n, 2)
    fitted = fit_baseline(kind, features, np.arange(n) % 2, "single-label", 2, seconds=0.2, threads=1, seed=0)
    assert fitted.scores(features).shape == (n, 2)
    numbers = fit_baseline(kind, features, np.arange(n, dtype="f8"), "regression", 1, seconds=0.2, threads=1, seed=0)
    assert np.isfinite(numbers.scores(features)).all()


def test_what_does_not_fit_is_named(small):
    features, classes = small
    fitted = fit_baseline("linear", features, classes, "single-label", 3, seconds=0.2, threads=1, seed=0)
    with pytest.raises(DataError, match="4 features"):
        fitted.scores(features[:, :3])
    with pytest.raises(DataError, match="n targets"):
        fit_baseline("linear", features, classes[:-1], "single-label", 3, seconds=None, threads=1, seed=0)
    with pytest.raises(DataError, match="announced"):
        fit_baseline("linear", features, features > 0, "multi-label", 3, seconds=None, threads=1, seed=0)
    broken = features.copy()
    broken[7, 1] = np.nan
    with pytest.raises(DataError, match="number 7"):
        fit_baseline("linear", broken, classes, "single-label", 3, seconds=None, threads=1, seed=0)


def test_folds_keep_groups_whole_and_spread_the_classes():
    targets = np.repeat([0, 1], [80, 20])
    fold = assign_folds(targets, None, 5, seed=0)
    assert all((targets[fold == one] == 1).sum() == 4 for one in range(5))
    groups = np.arange(100) // 7
    fold = assign_folds(targets, groups, 5, seed=0)
    assert all(len(np.unique(fold[groups == group])) == 1 for group in np.unique(groups))


def test_a_subsample_keeps_the_shares():
    targets = np.repeat([0, 1, 2], [700, 200, 100])
    kept = subsample(targets, 100, seed=3)
    assert len(np.unique(kept)) == 100
    assert (np.abs(np.bincount(targets[kept]) - [70, 20, 10]) <= 1).all()


def test_boosting_tells_settings_apart_on_few_rounds_and_grows_the_best_on(monkeypatch):
    random = np.random.default_rng(0)
    features = random.normal(size=(2_000, 3)).astype("f4")
    targets = features[:, 0] + np.sin(2 * features[:, 1])
    held = (features[:400], targets[:400])
    monkeypatch.setattr(boosting, "FOLDED_CELLS", 0)
    monkeypatch.setattr(boosting, "TUNED_TREES", 30)

    def fitted(most):
        monkeypatch.setattr(boosting, "TREES", most)
        return fit_baseline(
            "boosting", features[400:], targets[400:], "regression", 1, seconds=None, threads=1, seed=0, validation=held
        )

    few, many = fitted(30), fitted(200)
    assert "30 rounds" in few.note
    rounds, setting = int(many.note.split("; ")[-1].split()[0]), few.note.partition("30 rounds ")[2]
    assert 30 < rounds <= 200
    assert many.note.endswith(setting), "the setting that was best on few rounds"
    (grown,) = many.estimator
    at_once = clone(grown).set_params(max_iter=rounds).fit(features[400:], targets[400:])
    np.testing.assert_array_equal(many.scores(held[0])[:, 0], at_once.predict(held[0]))
    assert np.mean((many.scores(held[0])[:, 0] - held[1]) ** 2) < np.mean((few.scores(held[0])[:, 0] - held[1]) ** 2)


def test_boosting_that_has_no_chance_within_its_time_is_not_begun():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 3000)).astype(np.float32)
    targets = np.arange(200) % 8
    fitted = fit_baseline("boosting", features, targets, "single-label", 8, seconds=0.02, threads=1, seed=0)
    assert "not grown" in fitted.note
    assert fitted.scores(features[:3]) == pytest.approx(np.full((3, 8), 1 / 8))


def test_boosting_looks_at_fewer_numbers_where_there_is_no_time_for_all(monkeypatch):
    """A grid of pixels instead of none: made up, and so the same on every machine."""
    monkeypatch.setattr(boosting, "least_seconds", lambda features, *rest: features.shape[1] / 40)
    rng = np.random.default_rng(0)
    targets = np.arange(400) % 3
    features = (rng.normal(size=(400, 900)) + 2 * targets[:, None]).astype(np.float32)
    given = {"task": "single-label", "outputs": 3, "seconds": 4.0, "threads": 1, "seed": 0}
    fitted = fit_baseline("boosting", features, targets, **given)
    assert len(fitted.columns) == 64 and fitted.columns[0] == 0 and fitted.columns[-1] == 899
    assert fitted.note.startswith(
        "on 64 numbers a sample, evenly apart: the first rounds on all 900 numbers would take"
    )
    assert (fitted.scores(features).argmax(axis=1) == targets).mean() > 0.9
    changed = features.copy()
    changed[:, [one for one in range(900) if one not in fitted.columns]] = 99
    np.testing.assert_array_equal(fitted.scores(changed), fitted.scores(features))
    with pytest.raises(DataError, match="fitted on 64 features"):
        fitted.scores(features[:, :800])


def test_a_deadline_reads_the_clock_only_when_there_is_one():
    ticks = iter([0.0, 1.0, 4.0, 4.0, 20.0])
    deadline = Deadline.after(10.0, clock=lambda: next(ticks))
    assert deadline.left == 9.0
    half = deadline.share(0.5)
    assert half.end == 4.0 + 3.0
    assert deadline.over
    free = Deadline.after(None, clock=lambda: pytest.fail("no clock"))
    assert not free.over and free.now() == 0.0 and free.share(0.1) is free


@pytest.mark.parametrize("seed", range(6))
def test_a_class_that_the_last_fold_lacks_does_not_stop_it(seed: int) -> None:
    """Twenty samples of four classes: some folds see three of them."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(20, 3)).astype(np.float32)
    targets = random.choice(4, size=20, p=[0.7, 0.15, 0.1, 0.05]).astype(np.int64)
    targets[:4] = range(4)
    fitted = fit_baseline("linear", features, targets, "single-label", 4, seconds=None, threads=1, seed=seed)
    assert fitted.scores(features).shape == (20, 4)
