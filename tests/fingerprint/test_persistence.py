import sys
from collections.abc import Callable

import numpy as np
import pytest
from tests.fingerprint.made_up_clouds import (
    Points,
    Random,
    annulus,
    circle,
    flat_torus,
    linked_circles,
    plane,
    turned_into,
)

from fieldcraft.errors import MissingExtraError
from fieldcraft.fingerprint.cloud import distances
from fieldcraft.fingerprint.persistence import diagram, loops, stand_out

pytest.importorskip("gudhi")


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        (lambda random: circle(random, 200), 1),
        (lambda random: circle(random, 200, 0.1), 1),
        (lambda random: annulus(random, 250), 1),
        (lambda random: linked_circles(random, 250), 2),
        (lambda random: np.concatenate([circle(random, 120, 0.05), circle(random, 120, 0.05) + 4]), 2),
        (lambda random: flat_torus(random, 900, 2), 2),
        (lambda random: turned_into(random, circle(random, 150), 64, 0.02), 1),
    ],
    ids=["circle", "thick circle", "annulus", "linked circles", "two circles", "torus", "in 64-space"],
)
def test_loops_of_known_shapes(shape: Callable[[Random], Points], wanted: int) -> None:
    assert loops(distances(shape(np.random.default_rng(0))), seed=0) == wanted


@pytest.mark.parametrize("dimension", [1, 2, 5, 30, 100])
def test_noise_has_no_loops(dimension: int) -> None:
    random = np.random.default_rng(dimension)
    draws = 40
    false = sum(loops(distances(plane(random, 80, dimension)), seed=0) > 0 for _ in range(draws))
    assert false <= 6  # at a chance of 5 %, more come once in 300


def test_the_diagram_of_a_square() -> None:
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(diagram(distances(square)), [[1.0, 2**0.5]], rtol=1e-6)


def test_rounding_that_differs_there_and_back_does_no_harm() -> None:
    random = np.random.default_rng(0)
    between = distances(plane(random, 120, 10))
    uneven = between * (1 + 1e-15 * random.integers(-3, 4, between.shape))
    np.testing.assert_allclose(np.sort(diagram(uneven)), np.sort(diagram(between)), rtol=1e-5)


def test_false_discoveries_are_bounded_by_the_slow_rule() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        chances = random.uniform(size=12) ** random.integers(1, 8)
        ranked = np.sort(chances)
        most = max((rank for rank in range(1, 13) if ranked[rank - 1] <= 0.05 * rank / 12), default=0)
        assert stand_out(chances, 0.05).sum() == most


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gudhi.sklearn.rips_persistence", None)
    with pytest.raises(MissingExtraError, match=r"fieldcraft\[topology\]"):
        diagram(np.zeros((3, 3)))
