"""Arrays, frames, and map-style torch data sets."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import TensorDataset

from fieldcraft.data.dataset import ImageArray, ReadOptions, Table
from fieldcraft.data.open import open_data
from fieldcraft.errors import DataError

RANDOM = np.random.default_rng(0)
LABELS = np.array([0, 1, 0, 1, 0, 1])


def test_two_axes_are_a_table() -> None:
    x = RANDOM.normal(size=(6, 3))
    dataset = open_data((x, LABELS))
    assert dataset.kind == "arrays" and isinstance(dataset.inputs, Table)
    assert (dataset.inputs.frame.to_numpy() == x).all() and list(dataset.inputs.frame) == ["x0", "x1", "x2"]


def test_whole_numbers_that_count_up_are_still_features() -> None:
    x = np.stack([np.arange(30), np.ones(30)], axis=1).astype(int)
    inputs = open_data((x, np.arange(30) % 2)).inputs
    assert isinstance(inputs, Table) and inputs.roles == (("x0", "numeric"), ("x1", "left-out"))


@pytest.mark.parametrize("wrap", [list, np.asarray, torch.tensor, pd.Series])
def test_targets_of_any_array_like(wrap: type) -> None:
    dataset = open_data((RANDOM.random((6, 4, 4)).astype(np.float32), wrap([0, 1, 0, 1, 0, 1])))
    assert dataset.targets.values.tolist() == LABELS.tolist() and isinstance(dataset.inputs, ImageArray)


def test_tensors_with_channels_first() -> None:
    x = torch.rand(6, 3, 8, 8)
    inputs = open_data((x, torch.from_numpy(LABELS))).inputs
    assert isinstance(inputs, ImageArray) and (inputs.pixels == x.permute(0, 2, 3, 1).numpy()).all()


def test_floats_are_numbers_and_the_task_may_be_said() -> None:
    x = RANDOM.normal(size=(40, 2))
    assert open_data((x, x[:, 0])).targets.task == "regression"
    assert open_data((x, np.arange(40) % 3)).targets.task == "single-label"
    assert open_data((x, np.arange(40) % 3), ReadOptions(task="regression")).targets.task == "regression"
    assert open_data((x, np.arange(40) % 20), ReadOptions(task="single-label")).targets.names[:3] == ("0", "1", "2")
    assert open_data((x, np.array(["b", "a"] * 20))).targets.names == ("a", "b")


def frame() -> pd.DataFrame:
    return pd.DataFrame({"age": RANDOM.integers(0, 9, 30), "kind": ["a", "b", "c"] * 10, "ill": ["yes", "no"] * 15})


@pytest.mark.parametrize("make", [lambda f: f, pl.from_pandas])
def test_frames(make) -> None:  # type: ignore[no-untyped-def]
    dataset = open_data(make(frame()), ReadOptions(target=("ill",), group="kind"))
    assert dataset.kind == "frame" and dataset.targets.names == ("no", "yes") and dataset.groups is not None
    assert isinstance(dataset.inputs, Table) and dataset.inputs.roles == (("age", "numeric"),)
    with pytest.raises(DataError, match="the frame needs --target"):
        open_data(make(frame()))


def test_a_frame_and_its_target_apart() -> None:
    whole = frame()
    dataset = open_data((whole[["age", "kind"]], whole["ill"]))
    assert isinstance(dataset.inputs, Table) and [name for name, _ in dataset.inputs.roles] == ["age", "kind"]
    assert dataset.targets.names == ("no", "yes")
    numeric = open_data((whole[["age", "kind"]], np.linspace(0, 1, 30)))
    assert numeric.targets.task == "regression"
    polar = open_data((pl.from_pandas(whole[["age"]]), LABELS.repeat(5)))
    assert polar.targets.names == ("0", "1")


class Pictures(TorchDataset):  # type: ignore[type-arg]
    classes = ("cat", "dog")

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.fromarray(np.full((5, 4, 3), index, np.uint8)), int(LABELS[index])


def test_a_torch_data_set_of_pictures_with_class_names() -> None:
    dataset = open_data(Pictures())
    assert dataset.kind == "torch-dataset" and dataset.targets.names == ("cat", "dog")
    assert isinstance(dataset.inputs, ImageArray) and dataset.inputs.pixels.shape == (6, 5, 4, 3)
    assert dataset.inputs.pixels[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_torch_data_set_of_tensors() -> None:
    x = torch.rand(6, 1, 5, 5)
    dataset = open_data(TensorDataset(x, torch.from_numpy(LABELS)))
    assert isinstance(dataset.inputs, ImageArray) and dataset.targets.values.tolist() == LABELS.tolist()
    rows = open_data(TensorDataset(torch.rand(6, 4), torch.rand(6)))
    assert isinstance(rows.inputs, Table) and rows.targets.task == "regression"


class Ragged(Pictures):
    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.new("L", (4 + index, 4)), 0


def test_torch_data_sets_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="Add a resize"):
        open_data(Ragged())
    with pytest.raises(DataError, match=r"must be a pair \(sample, label\), but is tuple of 1"):
        open_data(TensorDataset(torch.rand(6, 2)))
