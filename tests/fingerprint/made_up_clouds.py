"""Clouds of known shape."""

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Random = np.random.Generator


def sphere(random: Random, count: int, dimension: int) -> Points:
    points = random.standard_normal((count, dimension + 1))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def flat_torus(random: Random, count: int, dimension: int) -> Points:
    angles = random.uniform(0, 2 * np.pi, (count, dimension))
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def plane(random: Random, count: int, dimension: int) -> Points:
    return random.standard_normal((count, dimension))


def circle(random: Random, count: int, noise: float = 0.0) -> Points:
    return flat_torus(random, count, 1) + noise * random.standard_normal((count, 2))


def annulus(random: Random, count: int) -> Points:
    return circle(random, count) * np.sqrt(random.uniform(0.6**2, 1.0, (count, 1)))


def linked_circles(random: Random, count: int) -> Points:
    half = count // 2
    first, second = circle(random, half), circle(random, count - half)
    flat = np.concatenate([first, np.zeros((half, 1))], axis=1)
    upright = np.stack([second[:, 0] + 1, np.zeros(count - half), second[:, 1]], axis=1)
    return np.concatenate([flat, upright]) + 0.03 * random.standard_normal((count, 3))


def turned_into(random: Random, cloud: Points, dimensions: int, noise: float = 0.0) -> Points:
    """The same shape, turned at random in a space of more dimensions."""
    axes = np.linalg.qr(random.standard_normal((dimensions, dimensions)))[0][: cloud.shape[1]]
    return cloud @ axes + noise * random.standard_normal((len(cloud), dimensions))
