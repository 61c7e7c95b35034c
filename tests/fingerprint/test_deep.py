import sys

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from tests.fingerprint.made_up_clouds import circle, linked_circles, plane, turned_into

from fieldcraft.fingerprint import deep
from fieldcraft.fingerprint.betti import betti
from fieldcraft.fingerprint.deep import deep_facts
from fieldcraft.fingerprint.topology import topology
from fieldcraft.records.deep_facts import DeepFacts, Symmetry
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Task

random = np.random.default_rng(0)


def stopped() -> float:
    """A clock that stands: how fast the machine is at the moment changes nothing."""
    return 0.0


def of_table(features: np.ndarray, targets: np.ndarray, task: Task = "single-label", limit_s: float = 3.0) -> DeepFacts:
    names = tuple(f"name {place}" for place in range(int(targets.max()) + 1 if task == "single-label" else 3))
    spread = ((features - features.mean(axis=0)) / features.std(axis=0)).astype(np.float32)
    return deep_facts(None, spread, targets, names, None, task, seed=0, limit_s=limit_s, clock=stopped)


def test_a_table_of_classes() -> None:
    bunch = load_breast_cancer()
    facts = of_table(bunch.data, bunch.target)
    assert facts.left_out == () and facts.geometry is None and facts.symmetry is None
    assert facts.topology is not None and facts.noise is not None
    assert facts.topology.dimension is not None and 5 < facts.topology.dimension.value < 15
    assert facts.topology.separability.value > 0.92 > facts.topology.chance
    assert facts.topology.neighbours.sample == "all 569 training samples"
    restored = TypeAdapter(DeepFacts).validate_json(TypeAdapter(DeepFacts).dump_json(facts))
    assert restored == facts


def test_a_table_of_numbers() -> None:
    bunch = load_diabetes()
    facts = of_table(bunch.data, bunch.target[:, None], "regression")
    assert facts.left_out == () and facts.topology is not None and facts.noise is not None
    assert facts.noise.labels is None and facts.noise.curve is not None
    assert 0.4 < facts.topology.separability.value < 0.55  # published R2 of linear models: about 0.48
    assert facts.topology.betti is not None and [one.name for one in facts.topology.betti.value] == ["all"]


def test_many_labels() -> None:
    cloud = random.standard_normal((300, 6))
    facts = of_table(cloud, (cloud[:, :3] > 0).astype(np.uint8), "multi-label")
    assert facts.left_out == () and facts.topology is not None and facts.topology.separability.value > 0.9


def test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def looked(*args: object, **more: object) -> Fact[tuple[Symmetry, ...]]:
        given.extend((*args, more["limit_s"]))
        return Fact(value=(), method="made up", sample="none")

    monkeypatch.setattr(deep, "symmetry", looked)
    bunch, names = load_digits(), tuple("0123456789")
    pixels = bunch.images[..., None].astype(np.uint8)
    groups = np.array([str(place // 2) for place in range(len(pixels))])
    facts, again = (
        deep_facts(pixels, None, bunch.target, names, groups, "single-label", seed=0, limit_s=3.0, clock=stopped)
        for _ in range(2)
    )
    assert facts == again
    assert facts.left_out == () and facts.symmetry is not None
    assert given[0] is pixels and given[1] is bunch.target and given[2] is groups and 1.0 < float(str(given[3])) < 2.0
    assert facts.topology is not None and facts.geometry is not None and facts.noise is not None
    assert facts.topology.separability.value > 0.93
    assert facts.topology.chance == pytest.approx(0.1, abs=0.01)


def test_symmetry_that_finds_nothing_is_told() -> None:
    pixels = random.integers(0, 256, (30, 6, 6, 1)).astype(np.uint8)
    facts = deep_facts(pixels, None, np.zeros(30, np.int64), ("a",), None, "single-label", seed=0, limit_s=1.0)
    assert facts.symmetry is None and facts.left_out[0].startswith("symmetry: too few")


def test_betti_numbers_of_each_class() -> None:
    pytest.importorskip("gudhi")
    one = turned_into(random, circle(random, 300, 0.05), 12)
    two = turned_into(random, linked_circles(random, 400), 12) + 3
    none = plane(random, 300, 12) - 3
    samples = np.concatenate([one, two, none]).astype(np.float32)
    labels = np.repeat([0, 1, 2], [300, 400, 300])
    found = betti(samples, labels, ("circle", "links", "noise"), "single-label", seed=0, most=250)
    assert found is not None
    assert [(its.name, its.components, its.loops) for its in found.value] == [
        ("circle", 1, 1),
        ("links", 2, 2),
        ("noise", 1, 0),
    ]
    assert found.sample == "750 of 1,000 training samples"


def test_repeats_do_not_count_as_neighbours() -> None:
    cloud = random.standard_normal((200, 4)).astype(np.float32)
    labels = random.integers(0, 2, 200)
    facts = topology(np.tile(cloud, (2, 1)), np.tile(labels, 2), None, "single-label", seed=0, limit_s=5.0)
    assert facts is not None
    assert facts.neighbours.value == pytest.approx(0.5, abs=0.15)
    assert facts.neighbours.sample == "200 of 400 training samples"


def test_without_the_extra_the_rest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gudhi.sklearn.rips_persistence", None)
    bunch = load_breast_cancer()
    facts = of_table(bunch.data, bunch.target)
    assert facts.topology is not None and facts.topology.betti is None
    assert any("fieldcraft[topology]" in reason for reason in facts.left_out)


def test_a_measurement_that_fails_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **more: object) -> None:
        raise np.linalg.LinAlgError("no convergence")

    monkeypatch.setattr(deep, "noise", broken)
    bunch = load_breast_cancer()
    facts = of_table(bunch.data, bunch.target)
    assert facts.noise is None and facts.topology is not None
    assert facts.left_out == ("noise: no convergence",)


def test_without_time_everything_is_left_out_with_its_reason() -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 5.0
        return now[0]

    facts = deep_facts(
        None, plane(random, 50, 2).astype(np.float32), np.zeros(50, np.int64), ("a",), None, "single-label", seed=0,
        limit_s=4.0, clock=clock,
    )  # fmt: skip
    assert facts.topology is None and facts.noise is None
    assert len(facts.left_out) == 2 and all("no time was left" in reason for reason in facts.left_out)


def test_tiny_sets_are_left_out_with_their_reason() -> None:
    facts = of_table(plane(random, 6, 2), np.array([0, 1] * 3))
    assert facts.topology is None and facts.noise is None
    assert all(": fewer than " in reason for reason in facts.left_out)


def test_samples_are_pixels_or_features() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        deep_facts(None, None, np.zeros(3), ("a",), None, "single-label", seed=0, limit_s=1.0)
