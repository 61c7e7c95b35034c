"""Same digest for the same samples, another for any change; exact duplicates are counted."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fieldcraft.data import digest as digests
from fieldcraft.data.dataset import Dataset, Targets
from fieldcraft.data.digest import digest
from fieldcraft.data.duplicates import exact_duplicates
from fieldcraft.data.open import open_data

LABELS = np.array([0, 1] * 10)


def images(change: int = 0) -> Dataset:
    pixels = np.arange(20 * 16, dtype=np.uint16).reshape(20, 4, 4)
    pixels[7, 2, 2] += change
    return open_data((pixels, LABELS))


def table(change: float = 0) -> Dataset:
    x = np.arange(60.0).reshape(20, 3) ** 2
    x[5, 1] += change
    return open_data((x, LABELS))


def test_it_repeats_and_has_32_digits() -> None:
    assert digest(images()) == digest(images()) != digest(images(1))
    assert digest(table()) == digest(table()) != digest(table(1e-9))
    assert len(digest(images())) == 32 and int(digest(images()), 16)


def test_targets_ids_and_parts_count() -> None:
    dataset = images()
    turned = Targets(task="single-label", values=1 - dataset.targets.values.astype(np.int64), names=("0", "1"))
    others = [
        replace(dataset, targets=turned),
        replace(dataset, ids=tuple(f"{name}x" for name in dataset.ids)),
        replace(dataset, given=np.array(["train", "test"] * 10)),
        replace(dataset, groups=np.array(["train", "test"] * 10)),
        replace(dataset, times=np.arange(20).astype("datetime64[s]")),
    ]
    assert len({digest(dataset), *map(digest, others)}) == 6


def test_files_count_by_content_not_by_place(cats_and_dogs: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / cats_and_dogs.name
    shutil.copytree(cats_and_dogs, elsewhere)
    first = digest(open_data(cats_and_dogs))
    assert digest(open_data(elsewhere)) == first
    shutil.copy(elsewhere / "cat" / "0.png", elsewhere / "cat" / "1.png")
    assert digest(open_data(elsewhere)) != first


def test_large_sets_go_by_size_and_time(cats_and_dogs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "LARGE", 0)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("contents were read"))
    assert digest(open_data(cats_and_dogs)) == digest(open_data(cats_and_dogs))


def test_duplicates(cats_and_dogs: Path) -> None:
    assert exact_duplicates(open_data(cats_and_dogs)) == 0
    for number in (1, 2):
        shutil.copy(cats_and_dogs / "cat" / "0.png", cats_and_dogs / "dog" / f"{number}.png")
    assert exact_duplicates(open_data(cats_and_dogs)) == 2
    pixels = np.zeros((6, 3, 3), np.uint8)
    pixels[0] = 1
    assert exact_duplicates(open_data((pixels, [0, 1, 0, 1, 0, 1]))) == 4
    frame = pd.DataFrame({"a": [1.0, 2, 1, 1.5] * 8, "b": ["x", "y", "x", "x"] * 8})
    slow = len(frame) - len({tuple(row) for row in frame.itertuples(index=False)})
    assert exact_duplicates(open_data((frame, [0, 1] * 16))) == slow == 29
