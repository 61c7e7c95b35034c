import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from tests.fingerprint.made_up_clouds import annulus, circle, linked_circles, plane, turned_into

from fieldcraft.fingerprint.cloud import distances
from fieldcraft.fingerprint.components import components, neighbours_to_join

random = np.random.default_rng(0)


def test_one_piece() -> None:
    for cloud in (circle(random, 200), annulus(random, 200), plane(random, 200, 2), plane(random, 100, 60)):
        assert components(distances(cloud), 0.005) == 1


def test_pieces_that_stand_apart() -> None:
    assert components(distances(linked_circles(random, 300)), 0.005) == 2
    for dimension in (2, 40):
        corners = 12 * np.eye(max(3, dimension))[np.arange(150) % 3][:, :dimension]
        assert components(distances(plane(random, 150, dimension) + corners), 0.005) == 3
    uneven = np.concatenate([plane(random, 200, 2), 0.01 * plane(random, 30, 2) + 9])
    assert components(distances(uneven), 0.005) == 2


def test_outliers_are_no_pieces() -> None:
    cloud = np.concatenate([plane(random, 200, 3), 100 * plane(random, 5, 3)])
    assert components(distances(cloud), 0.005) == 1


def test_a_random_line_breaks_as_rarely_as_said() -> None:
    broken = [components(distances(random.uniform(size=(100, 1))), 0.05) > 1 for _ in range(300)]
    assert np.mean(broken) <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5


def test_scale_and_turns_do_not_matter() -> None:
    cloud = linked_circles(random, 200)
    assert components(distances(cloud)) == components(distances(50 * turned_into(random, cloud, 20)))


def test_more_points_and_stricter_levels_need_more_neighbours() -> None:
    assert neighbours_to_join(50, 0.05) <= neighbours_to_join(500, 0.05) <= neighbours_to_join(500, 0.001)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_points_are_one_piece(count: int) -> None:
    assert components(distances(plane(random, count, 2))) == 1


def test_the_graph_is_that_of_the_nearest() -> None:
    cloud = np.concatenate([plane(random, 40, 2), plane(random, 40, 2) + 4])
    between, near = distances(cloud), neighbours_to_join(80, 0.05)
    ranks = (between + np.diag(np.full(80, np.inf))).argsort(axis=1).argsort(axis=1)
    assert components(between) == connected_components(ranks < near, directed=False)[0]
