from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from fieldcraft.data.open import open_data
from fieldcraft.fingerprint.floor import floor_of_risk
from fieldcraft.fingerprint.learning_curve import power_law
from fieldcraft.fingerprint.noise import noise
from fieldcraft.records.deep_facts import Noise
from fieldcraft.records.facts import Task


def flipped(labels: np.ndarray, share: float, seed: int = 0) -> tuple[np.ndarray, float]:
    """Labels of which some are another class, evenly; and the share that is."""
    random, classes = np.random.default_rng(seed), int(labels.max()) + 1
    chosen = random.uniform(size=len(labels)) < share
    other = (labels + random.integers(1, classes, len(labels))) % classes
    return np.where(chosen, other, labels).astype(np.int64), float(chosen.mean())


def found(samples: np.ndarray, labels: np.ndarray, task: Task = "single-label", limit_s: float = 1.0) -> Noise:
    facts = noise(samples, labels, None, task, seed=0, limit_s=limit_s)
    assert facts is not None
    return facts


def assert_covers(facts: Noise, share: float, width: float) -> None:
    assert facts.labels is not None and facts.labels_95 is not None
    low, high = facts.labels_95
    assert low - 0.02 <= share <= high + 0.02, (facts.labels, facts.labels_95, share)
    assert high - low < width


def digits() -> tuple[np.ndarray, np.ndarray]:
    bunch = load_digits()
    return bunch.images[..., None].astype(np.uint8), bunch.target.astype(np.int64)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.4])
def test_planted_noise_among_digits(share: float) -> None:
    pixels, labels = digits()
    dirty, planted = flipped(labels, share)
    facts = found(pixels, dirty)
    assert_covers(facts, planted, 0.25)
    assert share == 0.0 or facts.labels_95 is None or facts.labels_95[0] > 0


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2])
def test_planted_noise_in_a_table(share: float) -> None:
    bunch = load_breast_cancer()
    features = ((bunch.data - bunch.data.mean(axis=0)) / bunch.data.std(axis=0)).astype(np.float32)
    dirty, planted = flipped(bunch.target, share)
    assert_covers(found(features, dirty), planted, 0.3)


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_planted_noise_in_mnist(real_data: Path, share: float) -> None:
    data = open_data(str(real_data / "mnist"))
    rows = np.random.default_rng(0).permutation(60_000)[:2_000]
    dirty, planted = flipped(data.targets.values[rows].astype(np.int64), share)
    assert_covers(found(data.inputs.pixels[rows], dirty), planted, 0.15)


def test_hard_classes_are_not_taken_for_noise() -> None:
    for seed, apart in enumerate((0.6, 1.2, 1.2, 2.0, 3.0)):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, 800)
        overlapping = random.standard_normal((800, 4)) + apart * labels[:, None] * np.eye(4)[0]
        facts = found(overlapping.astype(np.float32), labels)
        assert facts.labels_95 is not None and facts.labels_95[0] <= 0.03


def test_targets_without_anything_to_find_leave_the_noise_open() -> None:
    random = np.random.default_rng(0)
    facts = found(random.standard_normal((600, 8)).astype(np.float32), random.integers(0, 2, 600))
    assert facts.labels_95 is not None and facts.labels_95[1] > 0.4
    assert facts.curve is not None and facts.curve.value.doubling_95[0] < 0.05


@pytest.mark.parametrize("floor", [0.0, 0.1, 0.3])
def test_the_floor_of_a_known_risk(floor: float) -> None:
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(10):
        rank = random.uniform(size=2_000)
        wrong = (random.uniform(size=2_000) < floor + (1 - floor) * 0.6 * rank**3).astype(np.float64)
        found = floor_of_risk(1 - rank, wrong)
        inside += found.low <= floor <= found.high
        assert found.low <= found.value <= found.high
    assert inside >= 7  # of ten at 95 %, fewer come once in 10,000


def test_the_floor_depends_on_the_order_of_certainty_alone() -> None:
    random = np.random.default_rng(0)
    certainty, wrong = random.uniform(size=500), (random.uniform(size=500) < 0.2).astype(np.float64)
    assert floor_of_risk(certainty, wrong) == floor_of_risk(np.exp(9 * certainty), wrong)


@pytest.mark.parametrize(("scale", "exponent"), [(2.0, 0.5), (0.3, 0.0), (1.0, 1.2), (0.1, -0.2)])
def test_a_power_law_is_found_again(scale: float, exponent: float) -> None:
    sizes = np.array([50, 100, 200, 400])
    assert power_law(sizes, scale * sizes**-exponent) == pytest.approx((scale, exponent), rel=1e-6, abs=1e-8)


def test_a_power_law_through_a_zero() -> None:
    assert power_law([100, 200, 400, 800], [0.04, 0.02, 0.01, 0.0])[1] > 1
    with pytest.raises(ValueError, match="nor all zero"):
        power_law([1, 2], [0.0, 0.0])


def test_more_samples_help_where_the_function_is_rough() -> None:
    random = np.random.default_rng(0)
    cloud = random.uniform(-1, 1, (800, 3)).astype(np.float32)
    rough = found(cloud, np.sin(6 * cloud).sum(axis=1, keepdims=True), "regression")
    assert rough.labels is None and rough.curve is not None
    curve = rough.curve.value
    assert curve.doubling_95[0] > 0.1
    assert curve.flexible > 0.3
    assert curve.samples == tuple(sorted(curve.samples))
    assert curve.error[-1] < curve.error[0]


def test_equal_input_gives_equal_facts() -> None:
    pixels, labels = digits()
    assert found(pixels, labels) == found(pixels, labels)


def test_groups_stay_on_one_side() -> None:
    """Repeats of one sample in one group do not help to tell its label."""
    random = np.random.default_rng(0)
    cloud = np.repeat(random.standard_normal((60, 5)), 10, axis=0) + 0.01 * random.standard_normal((600, 5))
    labels, groups = np.repeat(random.integers(0, 2, 60), 10), np.repeat(np.arange(60), 10)
    torn = noise(cloud.astype(np.float32), labels, None, "single-label", seed=0, limit_s=1.0)
    whole = noise(cloud.astype(np.float32), labels, groups, "single-label", seed=0, limit_s=1.0)
    assert torn is not None and whole is not None and torn.curve is not None and whole.curve is not None
    assert torn.curve.value.error[-1] < 0.05 < 0.3 < whole.curve.value.error[-1]


@pytest.mark.parametrize("case", ["few", "one class", "one group"])
def test_what_cannot_be_measured_is_none(case: str) -> None:
    random = np.random.default_rng(0)
    count = 50 if case == "few" else 300
    labels = np.zeros(count, np.int64) if case == "one class" else random.integers(0, 2, count)
    groups = np.zeros(count, np.int64) if case == "one group" else None
    cloud = random.standard_normal((count, 3)).astype(np.float32)
    assert noise(cloud, labels, groups, "single-label", seed=0, limit_s=1.0) is None
