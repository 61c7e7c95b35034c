from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from fieldcraft.prediction.calibration import apply
from fieldcraft.prediction.ensemble import FOLDS, LEAST_WEIGHT, Candidates, Ensemble, choose, greedy, losses, mean_of

RANDOM = np.random.default_rng(0)
EACH = np.arange(400)
"""Samples that belong to no groups."""


def over(outputs, truth, task, kinds, **given):
    return Candidates(outputs=outputs, truth=truth, task=task, kinds=kinds, **given)


def numbers(*noise: float, n: int = 400):
    """Truths, and what several models say of them that err by so much, each for itself."""
    truth = RANDOM.normal(size=n)
    return truth, [(truth + scale * RANDOM.normal(size=n))[:, None] for scale in noise]


def test_the_mean_of_probabilities_is_what_is_said():
    logits = [RANDOM.normal(size=(30, 4)) for _ in range(3)]
    three = Ensemble(models=("a", "b", "c"), weights=(0.5, 0.3, 0.2), temperatures=(1.0, 2.0, 0.5))
    said = apply(three.averaged(logits, "single-label"), 1.0, "single-label")
    by_hand = sum(
        weight * np.exp(log_softmax(each / warm, axis=1))
        for each, weight, warm in zip(logits, three.weights, three.temperatures, strict=True)
    )
    assert said == pytest.approx(by_hand, abs=1e-9)
    labels = apply(three.averaged(logits, "multi-label"), 1.0, "multi-label")
    assert labels == pytest.approx(
        sum(
            weight / (1 + np.exp(-each / warm))
            for each, weight, warm in zip(logits, three.weights, three.temperatures, strict=True)
        )
    )


def test_of_numbers_it_is_the_mean_and_temperatures_do_nothing():
    two = Ensemble(models=("a", "b"), weights=(0.25, 0.75), temperatures=(3.0, 1.0))
    a, b = RANDOM.normal(size=(2, 10, 3))
    assert two.averaged([a, b], "regression") == pytest.approx(0.25 * a + 0.75 * b)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["single-label", "multi-label", "regression"]))
@settings(max_examples=40, deadline=None)
def test_the_average_never_loses_more_than_its_members_do_on_average(seed, task):
    """Jensen: both losses are convex."""
    random = np.random.default_rng(seed)
    truth = {
        "single-label": random.integers(0, 3, 40),
        "multi-label": random.integers(0, 2, (40, 3)),
        "regression": random.normal(size=(40, 3)),
    }[task]
    scores = [apply(3 * random.normal(size=(40, 3)), 1.0, task) for _ in range(3)]
    weights = random.dirichlet(np.ones(3))
    together = losses(mean_of(scores, weights), truth, task)
    assert (together <= mean_of([losses(one, truth, task) for one in scores], weights) + 1e-9).all()


def test_greedy_weights_are_about_as_good_as_the_best_on_a_grid():
    truth, said = numbers(0.5, 0.7, 1.0)
    told = [one - truth[:, None] for one in said]
    weights = greedy(told, "regression")
    grid = [(a / 40, b / 40, (40 - a - b) / 40) for a, b in product(range(41), repeat=2) if a + b <= 40]
    best = min(float((mean_of(told, each) ** 2).mean()) for each in grid)
    assert sum(weights) == pytest.approx(1)
    assert float((mean_of(told, weights) ** 2).mean()) < 1.02 * best


def test_models_that_err_apart_are_averaged_and_a_useless_one_is_not():
    truth, said = numbers(0.5, 0.5, 5.0)
    chosen = choose(over(said, truth, "regression", ("trees", "linear", "noise")), EACH, 0)
    assert chosen.weights[:2] == pytest.approx((0.5, 0.5), abs=0.15)
    assert chosen.weights[2] < 0.05
    alone = losses(said[0], truth, "regression").mean()
    assert losses(chosen.outputs, truth, "regression").mean() < 0.65 * alone  # two that err apart: half


def test_targets_count_alike_whatever_their_units_and_a_constant_one_decides_nothing():
    truth = np.stack([RANDOM.normal(size=400), np.full(400, 7.0), 1e5 * RANDOM.normal(size=400)], axis=1)
    useless = truth + np.stack([RANDOM.normal(size=400), np.zeros(400), np.zeros(400)], axis=1)
    good = truth + np.stack([0.05 * RANDOM.normal(size=400), np.full(400, 1e-4), 2e3 * RANDOM.normal(size=400)], axis=1)
    chosen = choose(over([useless, good], truth, "regression", ("useless", "good")), EACH, 0)
    assert chosen.weights[1] > 0.9


def test_one_that_knows_what_another_knows_and_more_stays_alone():
    truth = RANDOM.normal(size=400)
    error = RANDOM.normal(size=400)
    said = [(truth + 0.3 * error)[:, None], (truth + 0.9 * error)[:, None]]
    chosen = choose(over(said, truth, "regression", ("good", "worse")), EACH, 0)
    assert chosen.weights == (1.0, 0.0)
    assert chosen.outputs == pytest.approx(said[0])


def test_those_of_one_kind_share_evenly_whatever_luck_they_had():
    truth, said = numbers(0.5, 0.9, 0.9, 0.3)
    chosen = choose(over(said, truth, "regression", ("net", "trees", "net", "net")), EACH, 0)
    net = chosen.weights[0]
    assert (chosen.weights[2], chosen.weights[3]) == (net, net)
    assert 3 * net + chosen.weights[1] == pytest.approx(1)
    assert all(weight == 0 or weight >= LEAST_WEIGHT / 3 for weight in chosen.weights)


@pytest.mark.parametrize("task", ["single-label", "multi-label", "regression"])
def test_what_is_said_of_a_fold_does_not_know_its_truths(task):
    random, n, k = np.random.default_rng(3), 400, 3
    truth = {
        "single-label": random.integers(0, k, n),
        "multi-label": random.integers(0, 2, (n, k)),
        "regression": random.normal(size=(n, k)),
    }[task]
    signal = np.eye(k)[truth] if task == "single-label" else truth
    said = [2 * signal + random.normal(size=(n, k)) for _ in range(3)]
    said = [one / 2 for one in said] if task == "regression" else said
    changed, fold = truth.copy(), np.random.default_rng(7).permutation(n) % FOLDS == 2
    changed[fold] = changed[fold][::-1]
    before, after = (choose(over(said, each, task, "abc"), EACH, 7).outputs for each in (truth, changed))
    assert (after[fold] == before[fold]).all()
    assert (after[~fold] != before[~fold]).any()


def test_probabilities_that_were_too_sure_are_cooled_before_they_are_averaged():
    random = np.random.default_rng(4)
    truth = random.integers(0, 3, 400)
    honest = np.eye(3)[truth] * 1.5 + random.normal(size=(400, 3))
    chosen = choose(over([honest, 10 * honest], truth, "single-label", ("one", "sure")), EACH, 0)
    assert chosen.temperatures[1] == pytest.approx(10 * chosen.temperatures[0], rel=0.02)


def test_without_calibration_nothing_is_cooled():
    truth, honest = RANDOM.integers(0, 3, 400), RANDOM.normal(size=(400, 3))
    chosen = choose(over([honest, 9 * honest], truth, "single-label", "ab", calibrate=False), EACH, 0)
    assert chosen.temperatures == (1.0, 1.0)


def test_a_target_in_large_units_does_not_decide_alone():
    """One model knows the first target, in thousands; the other both: its share does not depend on the units."""
    random = np.random.default_rng(5)
    truth = random.normal(size=(400, 2))
    good = truth + random.normal(size=(400, 2)) * [0.6, 0.1]
    half = truth + random.normal(size=(400, 2)) * [0.5, 3.0]
    plain, large = (
        choose(over([good * units, half * units], truth * units, "regression", "ab"), EACH, 0).weights
        for units in (np.array([1.0, 1.0]), np.array([1000.0, 1.0]))
    )
    assert large == pytest.approx(plain)
    assert large[0] > 0.8


def test_groups_stay_together_where_samples_are_parted_and_drawn():
    """Ten copies of forty samples say no more than the forty: what is said of a group does not know its truth."""
    random = np.random.default_rng(6)
    truth = random.normal(size=40)
    said = [truth + random.normal(size=40) for _ in range(3)]
    many = [np.repeat(one, 10)[:, None] for one in said]
    groups = np.repeat(np.arange(40), 10)
    few = choose(over([one[:, None] for one in said], truth, "regression", "abc"), np.arange(40), 1)
    found = choose(over(many, np.repeat(truth, 10), "regression", "abc"), groups, 1)
    assert found.weights == pytest.approx(few.weights)
    assert found.outputs[::10] == pytest.approx(few.outputs)


def test_draws_are_the_same_each_time():
    truth, said = numbers(0.5, 0.6)
    first, second = (choose(over(said, truth, "regression", "ab"), EACH, 3) for _ in range(2))
    assert first.weights == second.weights
    assert (first.outputs == second.outputs).all()
