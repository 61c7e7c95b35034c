"""Everything a user can get wrong gives one message that says what to do."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fieldcraft.data.checks import require_readable
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.data.describe import describe
from fieldcraft.data.open import open_data
from fieldcraft.errors import DataError, FieldcraftError, ReaderError


def message(source: object, options: ReadOptions = ReadOptions()) -> str:  # noqa: B008
    with pytest.raises(FieldcraftError) as error:
        open_data(source, options)
    return str(error.value)


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "is empty. Put the images of each class into a folder" in message(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert "holds nothing that a reader recognises" in message(tmp_path)
    assert "is empty" in message(tmp_path / "a", ReadOptions(kind="image-folder"))


def test_one_class(cats_and_dogs: Path) -> None:
    shutil.rmtree(cats_and_dogs / "dog")
    assert "one class only, 'cat'" in message(cats_and_dogs)


def test_a_class_with_one_image(cats_and_dogs: Path) -> None:
    for number in range(1, 6):
        (cats_and_dogs / "dog" / f"{number}.png").unlink()
    assert "has a class with one sample: 'dog'" in message(cats_and_dogs)


def test_images_without_class_folders(draw, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    draw("a.png")
    assert "Images belong into a folder a class" in message(tmp_path)
    assert "has 1 images but no folder a class" in message(tmp_path, ReadOptions(kind="image-folder"))


def test_an_archive_instead_of_a_folder(cats_and_dogs: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "pets"), "zip", cats_and_dogs)
    assert "unzip pets.zip -d pets" in message(archive)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.move(archive, alone)
    assert "Unpack pets.zip first" in message(alone)


@pytest.mark.parametrize("path", ["pest", "pest/train/deep"])
def test_a_path_that_does_not_exist(tmp_path: Path, path: str) -> None:
    (tmp_path / "pets").mkdir()
    assert "Did you mean 'pets'?" in message(tmp_path / path)


def test_a_name_that_is_nearly_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Did you mean 'digits'" in message("digts")
    assert "Built-in names are digits" in message("zzz")
    assert "no built-in set is named 'pets'" in message("pets", ReadOptions(kind="built-in"))


def test_hidden_files_are_no_near_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert message("digit") == "digit does not exist. Did you mean 'digits'?"


def test_a_kind_that_does_not_exist(cats_and_dogs: Path) -> None:
    assert "Did you mean 'image-folder'" in message(cats_and_dogs, ReadOptions(kind="image-foldr"))


def test_a_built_in_name_wins_over_a_folder_unless_it_is_written_as_a_path(
    cats_and_dogs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cats_and_dogs)
    shutil.copytree(cats_and_dogs, cats_and_dogs / "digits", ignore=shutil.ignore_patterns("digits"))
    assert open_data("digits").kind == "built-in"
    assert open_data("./digits").kind == "image-folder"
    assert open_data(Path("digits")).kind == "image-folder"


def test_unreadable_images_are_named_one_by_one_and_refused_before_training(cats_and_dogs: Path) -> None:
    (cats_and_dogs / "cat" / "2.png").write_text("no picture")
    (cats_and_dogs / "dog" / "4.png").write_bytes(b"")
    dataset = open_data(cats_and_dogs)
    assert len(dataset) == 10 and [problem.sample for problem in dataset.problems] == ["cat/2.png", "dog/4.png"]
    assert any("cat/2.png" in sentence for sentence in describe(dataset))
    with pytest.raises(DataError, match=r"(?s)2 sample\(s\).*cat/2\.png: its content.*dog/4\.png: the file is empty"):
        require_readable(dataset)


def test_nothing_readable(cats_and_dogs: Path) -> None:
    for path in cats_and_dogs.rglob("*.png"):
        path.write_text("no picture")
    assert "none of the 12 images" in message(cats_and_dogs)


def test_labels_as_floats(draw, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for number in range(4):
        draw(f"{number}.png")
    (tmp_path / "labels.csv").write_text("path,label\n0.png,1.0\n1.png,2.0\n2.png,1.0\n3.png,2.0\n")
    dataset = open_data(tmp_path)
    assert dataset.targets.names == ("1", "2")
    assert any("whole numbers written as floats: taken for classes" in note for note in dataset.notes)
    (tmp_path / "labels.csv").write_text("path,label\n0.png,1.5\n1.png,x\n2.png,1.5\n3.png,x\n")
    assert "'x' (row 1)" in message(tmp_path, ReadOptions(task="regression"))


def test_a_table_without_its_target_lists_the_columns(tmp_path: Path) -> None:
    pd.DataFrame({"age": [1, 2], "price": [3, 4]}).to_csv(tmp_path / "t.csv", index=False)
    said = message(tmp_path / "t.csv")
    assert "--target COLUMN" in said and "perhaps 'price'" in said and "It has: age, price." in said
    said = message(tmp_path / "t.csv", ReadOptions(target=("prize",)))
    assert "no column 'prize' (--target). Did you mean 'price'? It has: age, price." in said
    for option in ("group", "time"):
        said = message(tmp_path / "t.csv", ReadOptions(target=("price",), **{option: "agee"}))
        assert f"'agee' (--{option}). Did you mean 'age'?" in said


def test_tables_that_are_broken(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    options = ReadOptions(target=("y",))
    for content, said in (
        (b"", "is empty"),
        (b"x,y\n", "has no rows"),
        (b"x,y\n1,a,2,3\n4,b\n", "cannot be read as a table|only|differ"),
        (b"x,y\n1,\n2,\n", "no row has a value in the target"),
        (b"y\n1\n2\n", "no column beside the target"),
        (b"x,y\n1,a\n2,a\n3,a\n", "one class only"),
        (b"x,y\n1,0.5\n2,0.5\n3,0.5\n", "one value only"),
    ):
        path.write_bytes(content)
        with pytest.raises(FieldcraftError, match=said):
            open_data(path, options)
    (tmp_path / "t.parquet").write_bytes(b"PAR1 nothing")
    assert "cannot be read as a table" in message(tmp_path / "t.parquet", options)
    path.write_bytes(b"x,when,y\n1,2020-01-01,a\n2,soon,b\n3,2020-01-03,a\n")
    assert "'soon' (row 1)" in message(path, ReadOptions(target=("y",), time="when"))


def test_a_folder_a_class_holds_no_numbers(cats_and_dogs: Path) -> None:
    assert "write a labels.csv" in message(cats_and_dogs, ReadOptions(task="regression"))


def test_things_that_are_no_data() -> None:
    assert "but a int came" in message(3)
    assert "must have one length" in message((np.zeros((4, 2)), np.zeros(3)))
    assert "nothing in it" in message((np.zeros((0, 2)), np.zeros(0)))
    assert "complex" in message((np.zeros((4, 2), complex), np.arange(4) % 2))
    assert "'y' must hold finite numbers" in message((np.eye(4), np.array([0.5, np.nan, 1, 2])))
    assert "--group and --time name columns" in message((np.eye(4), np.array([0, 1, 0, 1])), ReadOptions(group="g"))
    with pytest.raises(ReaderError):
        open_data("x" * 5000)


def test_a_target_for_data_that_brings_its_own(cats_and_dogs: Path) -> None:
    for source in (cats_and_dogs, "digits"):
        assert "leave --target out" in message(source, ReadOptions(target=("label",)))


def test_what_is_no_archive_gives_no_dangerous_advice(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK\n")
    said = message(tmp_path / "x.npz")
    assert "no readable .npz" in said and "pickle" not in said
