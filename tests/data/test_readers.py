"""What each reader makes of its format, on generated and on real data."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from fieldcraft.data.dataset import ImageArray, ImageFiles, ReadOptions, Table
from fieldcraft.data.describe import describe
from fieldcraft.data.open import open_data
from fieldcraft.data.readers import ALL
from fieldcraft.data.readers import built_in as built_in_sets
from fieldcraft.errors import DataError, MissingExtraError

Draw = Callable[..., Path]


def test_kinds_are_unique_and_every_reader_survives_any_path(tmp_path: Path) -> None:
    assert len({reader.kind for reader in ALL}) == len(ALL) == 9
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "labels.csv", tmp_path / "absent", Path()):
        for reader in ALL:
            assert reader.recognise(path) is None or reader.recognise(path)


# ---------------------------------------------------------------- folders of images


def test_a_folder_a_class(cats_and_dogs: Path) -> None:
    dataset = open_data(cats_and_dogs)
    assert dataset.kind == "image-folder" and dataset.targets.names == ("cat", "dog")
    assert dataset.ids[0] == "cat/0.png" and dataset.targets.values.tolist() == [0] * 6 + [1] * 6
    assert isinstance(dataset.inputs, ImageFiles) and dataset.inputs.channels == 3 and dataset.given is None


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "VALID", "testing"), ("train", "dev", "test")]
)
def test_folders_of_parts_are_given_parts(draw: Draw, tmp_path: Path, names: tuple[str, str, str]) -> None:
    for part in names:
        for kind in ("a", "b"):
            for number in range(2):
                draw(f"{part}/{kind}/{number}.png")
    dataset = open_data(tmp_path)
    assert dataset.targets.names == ("a", "b") and dataset.given is not None
    assert sorted(dataset.given.tolist()) == ["test"] * 4 + ["train"] * 4 + ["validation"] * 4


def test_mixed_folders_say_what_was_mixed(draw: Draw, tmp_path: Path) -> None:
    for number in range(3):
        draw(f"10/{number}.png", channels=1)
        draw(f"9/{number}.tiff", height=12, channels=1, bits=16)
        draw(f"9/deeper/{number}.jpg", width=20)
    draw("loose.png")
    (tmp_path / "10" / "notes.txt").write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "bare").mkdir()
    dataset = open_data(tmp_path)
    files = dataset.inputs
    assert isinstance(files, ImageFiles) and (files.channels, files.depth_bits) == (3, 16)
    assert dataset.targets.names == ("9", "10")
    said = " ".join(describe(dataset))
    for words in ("different sizes", "read as colour", "16 bits", "below a class folder", "loose.png"):
        assert words in said
    assert "1 .txt" in said and "bare" in said and "MACOSX" not in said


def test_groups_by_regular_expression(draw: Draw, tmp_path: Path) -> None:
    for patient in range(4):
        for kind in ("a", "b"):
            draw(f"{kind}/p{patient}_1.png")
            draw(f"{kind}/p{patient}_2.png")
    dataset = open_data(tmp_path, ReadOptions(group=r"/(p\d+)_"))
    assert dataset.groups is not None and set(dataset.groups) == {"p0", "p1", "p2", "p3"}
    with pytest.raises(DataError, match="not found in 16 of 16"):
        open_data(tmp_path, ReadOptions(group="patient"))
    with pytest.raises(DataError, match="neither a column nor a regular expression"):
        open_data(tmp_path, ReadOptions(group="("))


def test_real_folders(real_data: Path) -> None:
    dataset = open_data(real_data / "office_caltech" / "images" / "dslr")
    assert len(dataset) == 157 and len(dataset.targets.names) == 10 and not dataset.problems


# ---------------------------------------------------------------- labels.csv


def listed_images(draw: Draw, folder: Path, header: str, rows: list[str]) -> Path:
    for number in range(len(rows)):
        draw(f"{number}.png", channels=1)
    (folder / "labels.csv").write_text("\n".join([header, *(f"{n}.png,{row}" for n, row in enumerate(rows))]))
    return folder


def test_labels_with_group_and_split(draw: Draw, tmp_path: Path) -> None:
    rows = ["cat,p1,train", "dog,p1,train", "cat,p2,val", "dog,p2,val", "cat,p3,test", "dog,p3,"]
    dataset = open_data(listed_images(draw, tmp_path, "path,label,group,split", rows))
    assert dataset.kind == "image-labels" and dataset.targets.names == ("cat", "dog")
    assert dataset.given is not None and dataset.groups is not None
    assert dataset.given.tolist() == ["train", "train", "validation", "validation", "test", "train"]
    assert any("more than one given part" in note for note in dataset.notes)
    assert any("1 samples without a part" in note for note in dataset.notes)
    assert len(open_data(tmp_path / "labels.csv")) == 6


@pytest.mark.parametrize("separator", [";", "|", " ; "])
def test_several_labels_in_one_cell(draw: Draw, tmp_path: Path, separator: str) -> None:
    rows = [f"red{separator}round", "red", "", f"round{separator}big"]
    dataset = open_data(listed_images(draw, tmp_path, "path,labels", rows))
    assert dataset.targets.task == "multi-label" and dataset.targets.names == ("big", "red", "round")
    assert dataset.targets.values.tolist() == [[0, 1, 1], [0, 1, 0], [0, 0, 0], [1, 0, 1]]


def test_columns_of_0_and_1(draw: Draw, tmp_path: Path) -> None:
    dataset = open_data(listed_images(draw, tmp_path, "path,red,round", ["1,0", "0,1", "1,1", "0,0"]))
    assert dataset.targets.task == "multi-label" and dataset.targets.names == ("red", "round")
    assert dataset.targets.values.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("column", "cells", "task"),
    [
        ("number", ["1", "2", "3", "4"], "regression"),
        ("target", ["1.5", "2.25", "3", "4"], "regression"),
        ("label", ["1.0", "2.0", "1.0", "2.0"], "single-label"),
        ("label", ["0.5", "0.7", "0.1", "0.2"], "regression"),
        ("label", ["7", "3", "7", "3"], "single-label"),
    ],
)
def test_the_column_says_whether_it_holds_classes(
    draw: Draw, tmp_path: Path, column: str, cells: list[str], task: str
) -> None:
    targets = open_data(listed_images(draw, tmp_path, f"path,{column}", cells)).targets
    assert targets.task == task
    if task == "single-label":
        assert all("." not in name for name in targets.names)


def test_lists_that_are_wrong_say_how(draw: Draw, tmp_path: Path) -> None:
    folder = listed_images(draw, tmp_path, "path,label", ["a", "b", "a", "b"])
    (folder / "labels.csv").write_text("path,label\n0.png,a\n0.png,b\n")
    with pytest.raises(DataError, match=r"more than once: 0\.png"):
        open_data(folder)
    (folder / "labels.csv").write_text("who,label\n0.png,a\n")
    with pytest.raises(DataError, match="no column of paths"):
        open_data(folder)
    (folder / "labels.csv").write_text("path,colour\n0.png,a\n")
    with pytest.raises(DataError, match="no column of labels"):
        open_data(folder)
    (folder / "labels.csv").write_text("path,label,split\n0.png,a,learn\n1.png,b,train\n")
    with pytest.raises(DataError, match="but holds learn"):
        open_data(folder)
    (folder / "labels.csv").write_text("path,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\nabsent.png,a\n")
    (problem,) = open_data(folder).problems
    assert problem.sample == "absent.png" and "no such file" in problem.reason


# ---------------------------------------------------------------- arrays in files


@pytest.mark.parametrize(
    "names", [("X", "y"), ("x", "labels"), ("images", "labels"), ("data", "target"), ("features", "targets")]
)
def test_npz_under_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    x, y = np.arange(6 * 5 * 5, dtype=np.uint8).reshape(6, 5, 5), np.array([0, 1, 0, 1, 0, 1])
    np.savez(tmp_path / "a.npz", **{names[0]: x, names[1]: y, "other": np.zeros(3)})
    dataset = open_data(tmp_path / "a.npz")
    assert isinstance(dataset.inputs, ImageArray) and (dataset.inputs.pixels[..., 0] == x).all()
    assert dataset.targets.values.tolist() == y.tolist() and dataset.given is None


def test_npz_of_a_table_with_names(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(8, 3))
    np.savez(tmp_path / "a.npz", X=x, y=[0, 1] * 4, target_names=["no", "yes"])
    dataset = open_data(tmp_path / "a.npz")
    assert isinstance(dataset.inputs, Table) and dataset.targets.names == ("no", "yes")
    assert list(dataset.inputs.frame.columns) == ["x0", "x1", "x2"]


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.eye(3)[[0, 1, 2, 0, 1, 2]], "single-label"),
        (np.array([[1, 1], [0, 0], [1, 0], [0, 1], [1, 1], [0, 0]]), "multi-label"),
        (np.random.default_rng(0).normal(size=(6, 2)), "regression"),
        (np.array([[0], [1], [0], [1], [0], [1]], np.uint8), "single-label"),
        (np.array(["a", "b"] * 3), "single-label"),
        (np.array([True, False] * 3), "single-label"),
    ],
)
def test_npz_targets_of_every_shape(tmp_path: Path, y: np.ndarray, task: str) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((6, 4, 4)), y=y)
    assert open_data(tmp_path / "a.npz").targets.task == task


def test_npz_in_the_layout_of_medmnist(real_data: Path) -> None:
    dataset = open_data(real_data / "pneumoniamnist")
    assert dataset.kind == "npz" and dataset.given is not None
    assert [(dataset.given == part).sum() for part in ("train", "validation", "test")] == [4708, 524, 624]
    with np.load(real_data / "pneumoniamnist" / "pneumoniamnist.npz") as arrays:
        assert isinstance(dataset.inputs, ImageArray)
        assert (dataset.inputs.pixels[4708:5232, ..., 0] == arrays["val_images"]).all()
        assert (dataset.targets.values[5232:] == arrays["test_labels"][:, 0]).all()


def test_usps(real_data: Path) -> None:
    dataset = open_data(real_data / "usps" / "usps.npz")
    assert isinstance(dataset.inputs, ImageArray) and dataset.inputs.pixels.shape == (9298, 16, 16, 1)
    assert dataset.inputs.pixels.dtype == np.float32 and len(dataset.targets.names) == 10


def test_npz_that_is_wrong_says_how(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for arrays, message in (
        ({"a": np.zeros(3)}, "must hold x and y"),
        ({"x": np.zeros((3, 4, 4)), "y": np.zeros(2)}, "differ in length"),
        ({"x": np.array([{}, {}]), "y": np.zeros(2)}, "pickled objects"),
        (
            {
                "train_images": np.zeros((2, 4, 4)),
                "train_labels": [0, 1],
                "test_images": np.zeros((2, 5, 5)),
                "test_labels": [0, 1],
            },
            "samples of one shape",
        ),
    ):
        np.savez(path, **arrays)
        with pytest.raises(DataError, match=message):
            open_data(path)
    path.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(DataError, match=r"no readable \.npz"):
        open_data(path)


def idx_bytes(values: np.ndarray) -> bytes:
    kind = {"u1": 8, "i4": 12, "f4": 13}[values.dtype.str[1:]]
    head = struct.pack(f">BBBB{values.ndim}I", 0, 0, kind, values.ndim, *values.shape)
    return head + values.astype(values.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "i4", "f4"])
def test_idx_files_of_any_number_type(tmp_path: Path, zipped: bool, dtype: str) -> None:
    random = np.random.default_rng(0)
    images = {part: random.integers(0, 200, (count, 6, 5)).astype(dtype) for part, count in (("train", 8), ("t10k", 4))}
    for part, x in images.items():
        labels = (np.arange(len(x)) % 2).astype("u1")
        for what, values in (("images-idx3", x), ("labels-idx1", labels)):
            data = idx_bytes(values)
            name = f"{part}-{what}-ubyte" + (".gz" if zipped else "")
            (tmp_path / name).write_bytes(gzip.compress(data) if zipped else data)
    dataset = open_data(tmp_path)
    assert (
        dataset.kind == "idx" and dataset.given is not None and dataset.given.tolist() == ["train"] * 8 + ["test"] * 4
    )
    assert isinstance(dataset.inputs, ImageArray)
    assert (dataset.inputs.pixels[..., 0] == np.concatenate(list(images.values()))).all()


def test_idx_that_is_cut_or_alone_says_so(tmp_path: Path) -> None:
    x = idx_bytes(np.zeros((4, 3, 3), "u1"))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(x[:-5])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([0, 1, 0, 1], "u1")))
    with pytest.raises(DataError, match="must hold 36 bytes"):
        open_data(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(gzip.compress(x)[:-8])
    with pytest.raises(DataError, match="cannot be read"):
        open_data(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(x)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(x)
    with pytest.raises(DataError, match="lacks the labels"):
        open_data(tmp_path)


def test_mnist(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDCRAFT_DATA", str(real_data))
    dataset = open_data("mnist")
    assert dataset.kind == "built-in" and isinstance(dataset.inputs, ImageArray) and dataset.given is not None
    assert dataset.inputs.pixels.shape == (70000, 28, 28, 1) and (dataset.given == "train").sum() == 60000
    assert dataset.targets.values[:5].tolist() == [5, 0, 4, 1, 9]  # the first labels, as everybody knows them
    # Mean and deviation of the training images are in every tutorial.
    train = dataset.inputs.pixels[:60000] / np.float32(255)
    assert train.mean() == pytest.approx(0.1307, abs=1e-4) and train.std() == pytest.approx(0.3081, abs=1e-4)


def test_cifar10(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDCRAFT_DATA", str(real_data))
    dataset = open_data("cifar10")
    assert isinstance(dataset.inputs, ImageArray) and dataset.inputs.pixels.shape == (11000, 32, 32, 3)
    assert dataset.targets.names[int(dataset.targets.values[0])] == "frog"  # the first training image
    assert dataset.targets.names[int(dataset.targets.values[10000])] == "cat"  # the first test image
    mean = dataset.inputs.pixels[:10000].mean((0, 1, 2)) / 255
    assert mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=0.005)


# ---------------------------------------------------------------- built-in sets


def test_digits_are_stored_exactly() -> None:
    dataset = open_data("digits")
    truth = load_digits()
    assert isinstance(dataset.inputs, ImageArray) and dataset.inputs.pixels.dtype == np.uint8
    assert (dataset.inputs.pixels[..., 0] == truth.images).all() and (dataset.targets.values == truth.target).all()
    assert dataset.ids[0] == "digits/0000" and dataset.ids[-1] == "digits/1796"


def test_tables_of_scikit_learn() -> None:
    cancer, diabetes = open_data("breast-cancer"), open_data("diabetes")
    assert cancer.targets.names == ("malignant", "benign") and len(cancer) == 569
    assert diabetes.targets.task == "regression" and diabetes.targets.values.shape == (442, 1)


def test_what_is_not_on_disk_says_where_was_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIELDCRAFT_DATA", str(tmp_path / "here"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"(?s)fashion-mnist.*here.*--download") as error:
        open_data("fashion-mnist")
    assert "torchvision" in str(error.value)
    assert "shared" not in str(error.value)


def test_downloading_needs_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIELDCRAFT_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(built_in_sets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"fieldcraft\[vision\]"):
        open_data("mnist", ReadOptions(download=True))


# ---------------------------------------------------------------- tables


def people(count: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": range(count),
            "age": random.integers(20, 80, count),
            "colour": random.choice(["red", "green"], count),
            "day": pd.date_range("2020-01-01", periods=count).strftime("%Y-%m-%d"),
            "clinic": random.choice(["north", "south", "west"], count),
            "ill": random.choice(["yes", "no"], count),
            "score": random.normal(size=count),
        }
    )


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".csv.gz", "semicolon.csv"])
def test_tables_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"people{suffix}"
    if suffix == ".parquet":
        people().to_parquet(path)
    else:
        people().to_csv(path, index=False, sep={".tsv": "\t", "semicolon.csv": ";"}.get(suffix, ","))
    dataset = open_data(path, ReadOptions(target=("ill",)))
    assert isinstance(dataset.inputs, Table) and dataset.targets.names == ("no", "yes") and len(dataset) == 60
    assert dict(dataset.inputs.roles) == {
        "id": "left-out",
        "age": "numeric",
        "colour": "categorical",
        "day": "date",
        "clinic": "categorical",
        "score": "numeric",
    }


def test_group_and_time_are_no_features(tmp_path: Path) -> None:
    people().to_csv(tmp_path / "p.csv", index=False)
    dataset = open_data(tmp_path / "p.csv", ReadOptions(target=("score",), group="clinic", time="day"))
    assert dataset.targets.task == "regression" and dataset.times is not None and dataset.groups is not None
    assert isinstance(dataset.inputs, Table) and list(dataset.inputs.frame.columns) == ["id", "age", "colour", "ill"]
    assert set(dataset.groups) == {"north", "south", "west"} and dataset.times[0] == np.datetime64("2020-01-01")


def test_missing_targets_and_question_marks(tmp_path: Path) -> None:
    frame = people().astype({"age": object})
    frame.loc[4, "age"] = "?"
    frame.loc[7, "ill"] = None
    frame.to_csv(tmp_path / "p.csv", index=False)
    dataset = open_data(tmp_path / "p.csv", ReadOptions(target=("ill",)))
    assert len(dataset) == 59 and "7" not in dataset.ids and any("1 rows without a target" in n for n in dataset.notes)
    assert isinstance(dataset.inputs, Table) and dict(dataset.inputs.roles)["age"] == "numeric"


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (np.arange(100) % 3, "single-label"),
        (np.arange(100) % 25, "regression"),
        (np.arange(1000) % 26, "single-label"),
        (np.append(np.arange(998) % 26, [77, 78]), "regression"),
        ((np.arange(100) % 3).astype(float), "single-label"),
        (np.arange(100) / 7, "regression"),
        (np.arange(100) % 2 == 0, "single-label"),
    ],
)
def test_whole_numbers_are_classes_when_they_are_few(tmp_path: Path, values: np.ndarray, task: str) -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(values)), "y": values})
    frame.to_csv(tmp_path / "t.csv", index=False)
    dataset = open_data(tmp_path / "t.csv", ReadOptions(target=("y",)))
    assert dataset.targets.task == task
    said = ReadOptions(target=("y",), task="regression")
    assert open_data(tmp_path / "t.csv", said).targets.task == "regression"


def test_several_targets(tmp_path: Path) -> None:
    frame = people().assign(a=[0, 1] * 30, b=[1, 1, 0] * 20)
    frame.to_csv(tmp_path / "p.csv", index=False)
    assert open_data(tmp_path / "p.csv", ReadOptions(target=("a", "b"))).targets.task == "multi-label"
    assert open_data(tmp_path / "p.csv", ReadOptions(target=("age", "score"))).targets.values.shape == (60, 2)


def test_a_split_column_gives_the_parts(tmp_path: Path) -> None:
    people().assign(split=["train"] * 40 + ["val"] * 10 + ["test"] * 10).to_csv(tmp_path / "p.csv", index=False)
    dataset = open_data(tmp_path / "p.csv", ReadOptions(target=("ill",)))
    assert dataset.given is not None and (dataset.given == "validation").sum() == 10
    assert isinstance(dataset.inputs, Table) and "split" not in dataset.inputs.frame.columns
