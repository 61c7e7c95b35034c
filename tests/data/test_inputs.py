"""Inputs for prediction: what can be read comes back as in training, the rest is named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fieldcraft.data.inputs import read_images, read_rows
from fieldcraft.data.memory import decode
from fieldcraft.data.open import open_data


def test_images_come_back_as_in_training(cats_and_dogs: Path, tmp_path: Path) -> None:
    dataset = open_data(cats_and_dogs)
    names, pixels, problems = read_images([cats_and_dogs], height=6, width=5, channels=3)
    assert not problems and names == tuple(str(cats_and_dogs / name) for name in dataset.ids)
    assert (pixels == decode(dataset, height=6, width=5, cache=tmp_path).pixels).all() and pixels.dtype == np.uint8


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (16, np.uint16), (32, np.float32)])
def test_depth_is_that_of_training(cats_and_dogs: Path, bits: int, dtype: type) -> None:
    _, pixels, _ = read_images([cats_and_dogs / "cat" / "0.png"], height=8, width=8, channels=1, depth_bits=bits)
    assert pixels.shape == (1, 8, 8, 1) and pixels.dtype == dtype


def test_bad_inputs_are_named_and_the_rest_is_read(cats_and_dogs: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    np.savez(tmp_path / "x.npz", x=np.zeros((3, 5, 5), np.uint8))
    np.savez(tmp_path / "y.npz", a=np.zeros(3), b=np.zeros(3))
    sources = ["cat/0.png", "broken.png", "empty", "x.npz", "brken.png", "y.npz", "dog/1.png"]
    names, pixels, problems = read_images([tmp_path / name for name in sources], height=8, width=8, channels=3)
    assert [Path(name).name for name in names] == ["0.png", "x.npz#0", "x.npz#1", "x.npz#2", "1.png"]
    assert pixels.shape == (5, 8, 8, 3)
    reasons = {Path(problem.sample).name: problem.reason for problem in problems}
    assert set(reasons) == {"broken.png", "empty", "brken.png", "y.npz"}
    assert "Did you mean 'broken.png'" in reasons["brken.png"] and "must hold x" in reasons["y.npz"]


def test_nothing_readable_is_an_empty_batch(tmp_path: Path) -> None:
    names, pixels, problems = read_images([tmp_path / "absent.png"], height=8, width=8, channels=3)
    assert names == () and pixels.shape == (0, 8, 8, 3) and len(problems) == 1


def test_rows_of_several_files(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    frame.to_csv(tmp_path / "one.csv", index=False)
    frame.to_parquet(tmp_path / "two.parquet")
    (tmp_path / "three.csv").write_text("")
    names, rows, problems = read_rows([tmp_path / name for name in ("one.csv", "two.parquet", "three.csv", "four.csv")])
    assert [Path(name).name for name in names] == ["one.csv#0", "one.csv#1", "two.parquet#0", "two.parquet#1"]
    assert rows["a"].tolist() == [1, 2, 1, 2] and len(problems) == 2
    assert read_rows([tmp_path])[0] and len(read_rows([tmp_path / "absent.csv"])[1]) == 0
