from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from tests.fingerprint.made_up_clouds import Points, Random, flat_torus, plane, sphere, turned_into

from fieldcraft.fingerprint.cloud import distances
from fieldcraft.fingerprint.two_nn import two_nn

DRAWS = 20


@pytest.mark.parametrize("shape", [sphere, flat_torus, plane])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_interval_covers_known_dimensions(shape: Callable[[Random, int, int], Points], dimension: int) -> None:
    random = np.random.default_rng(dimension)
    found = [two_nn(squareform(pdist(shape(random, 400, dimension)))) for _ in range(DRAWS)]
    covered = [one is not None and one.low <= dimension <= one.high for one in found]
    assert sum(covered) >= 0.8 * DRAWS  # of 20 draws at 95 %, fewer than 16 come once in 3,000
    assert np.mean([one.value for one in found if one]) == pytest.approx(dimension, rel=0.05)


@pytest.mark.parametrize("dimension", [5, 10])
def test_many_dimensions_read_a_little_low(dimension: int) -> None:
    found = two_nn(distances(plane(np.random.default_rng(0), 1_500, dimension)))
    assert found is not None
    assert 0.85 * dimension < found.value < 1.1 * dimension


def test_scale_turns_and_density_do_not_matter() -> None:
    random = np.random.default_rng(0)
    cloud = sphere(random, 300, 2)
    plain = two_nn(distances(cloud))
    turned = two_nn(distances(1000 * turned_into(random, cloud, 40)))
    assert plain is not None and turned is not None
    assert turned.value == pytest.approx(plain.value, rel=1e-4)
    uneven = two_nn(distances(np.exp(0.5 * plane(random, 1_000, 2))))
    assert uneven is not None and uneven.low < 2 < uneven.high


def test_copies_with_noise_are_left_out() -> None:
    random = np.random.default_rng(0)
    cloud = plane(random, 600, 4)
    copies = cloud[:200] + 1e-3 * random.standard_normal((200, 4))
    found = two_nn(distances(np.concatenate([cloud, copies])))
    clean = two_nn(distances(cloud))
    assert found is not None and clean is not None
    assert found.repeats == pytest.approx(200, abs=5)
    assert clean.repeats <= 1
    assert found.value == pytest.approx(clean.value, rel=0.05)


def test_values_on_a_grid_have_no_dimension() -> None:
    grid = np.stack(np.meshgrid(np.arange(15.0), np.arange(15.0)), axis=-1).reshape(-1, 2)
    assert two_nn(distances(grid)) is None


def test_few_points_have_no_dimension() -> None:
    assert two_nn(distances(plane(np.random.default_rng(0), 19, 2))) is None
