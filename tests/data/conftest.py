"""Small folders of pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Path]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Writes one picture below the test's folder and gives back that folder."""
    random = np.random.default_rng(0)

    def one(name: str, *, height: int = 8, width: int = 8, channels: int = 3, bits: int = 8) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 2**bits, (height, width, channels)).astype(f"uint{bits}")
        Image.fromarray(pixels.squeeze()).save(path)
        return tmp_path

    return one


@pytest.fixture
def cats_and_dogs(draw: Draw, tmp_path: Path) -> Path:
    """Two classes of six pictures."""
    for kind in ("cat", "dog"):
        for number in range(6):
            draw(f"{kind}/{number}.png")
    return tmp_path
