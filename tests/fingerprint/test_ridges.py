import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from fieldcraft.fingerprint.cloud import distances
from fieldcraft.fingerprint.neighbours import agreement
from fieldcraft.fingerprint.ridges import (
    KERNEL_RIDGES,
    RIDGES,
    coded,
    kernel_fit,
    kernel_out_of_fold,
    laplace_kernel,
    linear_out_of_fold,
    worth,
    wrong,
)
from fieldcraft.fingerprint.some import folds
from fieldcraft.records.facts import Task

random = np.random.default_rng(0)


def test_linear_answers_are_those_of_slow_ridge() -> None:
    cloud, code = random.standard_normal((60, 5)), random.standard_normal((60, 2))
    cloud -= cloud.mean(axis=0)
    code += cloud @ random.standard_normal((5, 2))
    fold = folds(60, None, 4, seed=0)
    told = linear_out_of_fold(cloud, code, fold)
    for part in range(4):
        held = fold == part
        largest = np.linalg.svd(cloud[~held] - cloud[~held].mean(axis=0), compute_uv=False)[0]

        def left_out(share: float, held: np.ndarray = held, largest: float = largest) -> float:
            missed = []
            for row in np.flatnonzero(~held):
                rest = ~held & (np.arange(60) != row)
                missed.append(code[row] - Ridge(share * largest**2).fit(cloud[rest], code[rest]).predict(cloud[[row]]))
            return float(np.square(missed).mean())

        best = min(RIDGES, key=left_out)
        slow = Ridge(best * largest**2).fit(cloud[~held], code[~held]).predict(cloud[held])
        np.testing.assert_allclose(told[held], slow, atol=1e-6)


def test_kernel_answers_are_those_of_slow_ridge() -> None:
    cloud, code = random.standard_normal((50, 3)), random.standard_normal((50, 2))
    kernel, fold = laplace_kernel(distances(cloud)), folds(50, None, 5, seed=0)
    told, penalty = kernel_out_of_fold(kernel, code, fold)
    assert penalty in KERNEL_RIDGES
    mean = code.mean(axis=0)
    for part in range(5):
        held = fold == part
        model = KernelRidge(alpha=penalty, kernel="precomputed")
        slow = model.fit(kernel[np.ix_(~held, ~held)], code[~held] - mean).predict(kernel[np.ix_(held, ~held)])
        np.testing.assert_allclose(told[held], slow + mean, atol=1e-8)
    held, rest = np.flatnonzero(fold == 0), np.flatnonzero(fold != 0)
    model.fit(kernel[np.ix_(rest, rest)], code[rest] - code[rest].mean(axis=0))
    slow = model.predict(kernel[np.ix_(held, rest)]) + code[rest].mean(axis=0)
    np.testing.assert_allclose(kernel_fit(kernel, code, rest, held, penalty), slow, atol=1e-8)


def test_a_line_is_learnt_and_noise_is_not() -> None:
    cloud = random.standard_normal((400, 6))
    fold = folds(400, None, 5, seed=0)

    def reached(targets: np.ndarray, task: Task) -> float:
        code = coded(targets, task)
        return worth(code, linear_out_of_fold(cloud, code, fold), task)

    labels = (cloud[:, 0] > 0).astype(np.int64)
    assert reached(labels, "single-label") > 0.95
    numbers = (cloud @ np.arange(6.0))[:, None]
    assert reached(numbers, "regression") > 0.999
    assert reached(random.integers(0, 2, 400), "single-label") == pytest.approx(0.5, abs=0.1)
    many = np.stack([labels, 1 - labels, cloud[:, 1] > 0], axis=1).astype(np.uint8)
    assert reached(many, "multi-label") > 0.95


def test_what_does_not_vary_does_no_harm() -> None:
    cloud, code = np.zeros((20, 3)), coded(np.zeros((20, 1)), "regression")
    told = linear_out_of_fold(cloud, code, folds(20, None, 5, seed=0))
    assert worth(code, told, "regression") == 0.0
    assert wrong(code, told, "regression").max() == 0.0


def test_neighbours_agree_as_far_as_targets_are_smooth() -> None:
    cloud = random.uniform(size=(300, 2))
    labels = (cloud[:, 0] > 0.5).astype(np.int64)
    between = distances(cloud)
    assert agreement(between, labels, "single-label") > 0.9
    assert agreement(between, random.permutation(labels), "single-label") == pytest.approx(0.5, abs=0.12)
    assert agreement(between, cloud[:, :1], "regression") > 0.95
    assert agreement(between, random.standard_normal((300, 1)), "regression") < 0.1
    assert agreement(between, np.stack([labels, 1 - labels], axis=1), "multi-label") > 0.9
    slow = np.mean(
        [
            labels[np.delete(between[i], i).argmin() + (np.delete(between[i], i).argmin() >= i)] == labels[i]
            for i in range(300)
        ]
    )
    assert agreement(between, labels, "single-label") == pytest.approx(slow)
