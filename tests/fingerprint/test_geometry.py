from pathlib import Path

import numpy as np
import pytest

from fieldcraft.data.open import open_data
from fieldcraft.fingerprint.foreground import by_contrast, largest, otsu
from fieldcraft.fingerprint.geometry import geometry
from fieldcraft.records.deep_facts import Geometry

SIDE = 32


def squares(count: int, side: int, seed: int = 0, noise: float = 6.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bright squares on dark noise, their labels and their centres."""
    random = np.random.default_rng(seed)
    pixels = 40 + noise * random.standard_normal((count, SIDE, SIDE, 3))
    corners = random.integers(2, SIDE - side - 1, (count, 2))
    for image, (top, left) in zip(pixels, corners, strict=True):
        image[top : top + side, left : left + side] += (120, 60, 90)
    return pixels.clip(0, 255).astype(np.uint8), random.integers(0, 3, count), (corners + side / 2) / SIDE


def found(pixels: np.ndarray, labels: np.ndarray, limit_s: float = 1.0) -> Geometry | None:
    return geometry(pixels, labels, None, "single-label", seed=0, limit_s=limit_s)


@pytest.mark.parametrize("side", [5, 12, 20])
def test_squares_of_known_size(side: int) -> None:
    pixels, labels, centres = squares(200, side)
    facts = found(pixels, labels)
    assert facts is not None
    assert facts.extent.value == pytest.approx((side,) * 3, abs=0.5)
    assert facts.share.value == pytest.approx(side**2 / SIDE**2, rel=0.02)
    assert facts.spread.value == pytest.approx(tuple(centres.std(axis=0)[::-1]), rel=0.05)
    assert "differs from the border" in facts.extent.method


def test_large_images_are_told_in_their_own_pixels() -> None:
    pixels, labels, _ = squares(60, 10)
    facts = found(pixels.repeat(7, axis=1).repeat(7, axis=2), labels)
    assert facts is not None and facts.extent.value[1] == pytest.approx(70, abs=7)


def test_dark_objects_on_bright_ground_count_alike() -> None:
    pixels, labels, _ = squares(100, 8)
    bright, dark = found(pixels, labels), found(255 - pixels, labels)
    assert bright is not None and dark is not None and bright.extent.value == dark.extent.value


def test_textures_have_no_objects() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (300, SIDE, SIDE, 1)).astype(np.uint8)
    assert found(pixels, random.integers(0, 2, 300)) is None
    assert found(np.full((60, 8, 8, 1), 7, np.uint8), np.zeros(60, np.int64)) is None


def test_evidence_is_found_where_it_was_put() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 600)
    pixels = 128 + 40 * random.standard_normal((600, SIDE, SIDE, 1))
    pattern = 25 * random.choice([-1, 1], (8, 8, 1))
    pixels[:, 18:26, 6:14] += np.where(labels == 1, 1, -1)[:, None, None, None] * pattern
    facts = found(pixels.astype(np.float32), labels, limit_s=2.0)
    assert facts is not None and "probe" in facts.extent.method
    assert facts.extent.value[1] == pytest.approx(8, abs=4)


def test_digits_of_mnist_fill_their_twenty_pixels(real_data: Path) -> None:
    data = open_data(str(real_data / "mnist"))
    facts = found(data.inputs.pixels[:1_000], data.targets.values[:1_000])
    assert facts is not None and facts.extent.value[1] == 20  # "size normalized to fit in a 20x20 pixel box"


def test_few_images_say_nothing() -> None:
    pixels, labels, _ = squares(10, 8)
    assert found(pixels, labels) is None


def test_the_threshold_is_the_best_of_all() -> None:
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(0, 1, 300), random.normal(8, 1, 100)])
    threshold, clear = otsu(values)

    def explained(at: float) -> float:
        low, high = values[values <= at], values[values > at]
        return len(low) * len(high) / len(values) ** 2 * (low.mean() - high.mean()) ** 2 / values.var()

    best = max(explained(at) for at in np.linspace(values.min(), values.max(), 500)[1:-1])
    assert explained(threshold) == pytest.approx(best, rel=0.02)
    assert clear == pytest.approx(best, rel=0.02)
    assert otsu(np.ones(5)) == (1.0, 0.0)


def test_the_largest_region_wins() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[1:3, 1:3] = mask[4:8, 5:8] = True
    box = largest(mask)
    assert box is not None and (box.top, box.left, box.height, box.width, box.share) == (4, 5, 4, 3, 12 / 81)
    assert largest(np.zeros((3, 3), dtype=bool)) is None


def test_a_border_that_is_no_ground_is_refused() -> None:
    image = np.zeros((20, 20, 1))
    image[:, 10:] = 1.0
    assert by_contrast(image) is None
