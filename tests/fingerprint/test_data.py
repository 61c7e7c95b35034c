import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from PIL import Image
from pydantic import TypeAdapter

from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles, Inputs, Table, Targets
from fieldcraft.data.splits import Parts
from fieldcraft.errors import DataError
from fieldcraft.fingerprint import data as module
from fieldcraft.fingerprint.data import data_facts
from fieldcraft.records.facts import DataFacts, ImageFacts, TableFacts, Task

SHARED = Path(os.environ.get("FIELDCRAFT_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def dataset(inputs: Inputs, values: npt.ArrayLike, task: Task = "single-label", **more: Any) -> Dataset:
    values = np.asarray(values)
    names = tuple("abc"[: (int(values.max()) + 1 if task == "single-label" else values.shape[1])])
    return Dataset(
        name="made-up",
        kind="arrays",
        inputs=inputs,
        targets=Targets(task=task, values=values, names=names),
        ids=tuple(map(str, range(len(values)))),
        **more,
    )


def parts(count: int) -> Parts:
    """The first half, a quarter, a quarter."""
    return Parts(*(part.astype(np.int64) for part in np.split(np.arange(count), [count // 2, 3 * count // 4])))


def pixels(count: int, *shape: int, high: int = 256, dtype: str = "uint8") -> npt.NDArray[Any]:
    return np.random.default_rng(0).integers(0, high, (count, *shape)).astype(dtype)


def write_images(folder: Path, images: npt.NDArray[Any]) -> ImageFiles:
    paths = tuple(folder / f"{index}.png" for index in range(len(images)))
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image.squeeze()).save(path)
    sizes = np.array([image.shape[:2] for image in images], dtype=np.int64)
    bits = 8 * images.dtype.itemsize
    return ImageFiles(paths=paths, sizes=sizes, channels=images.shape[-1], depth_bits=bits)


def images_of(facts: DataFacts) -> ImageFacts:
    assert isinstance(facts.inputs, ImageFacts)
    return facts.inputs


def test_counts_and_parts() -> None:
    made = dataset(ImageArray(pixels=pixels(8, 4, 4, 1)), [0, 0, 0, 1, 1, 1, 1, 1])  # the test part does not count
    facts = data_facts(made, parts(8), "abc")
    assert (facts.name, facts.digest, facts.samples) == ("made-up", "abc", 8)
    assert (facts.train, facts.validation, facts.test, facts.grouped) == (4, 2, 2, False)
    assert facts.target.counts.value == (3, 1)
    assert facts.target.imbalance is not None and facts.target.imbalance.value == 3.0
    assert facts.target.spread is None


def test_facts_can_be_written_and_read() -> None:
    made = dataset(ImageArray(pixels=pixels(8, 4, 4, 3)), [0, 1] * 4)
    facts = data_facts(made, parts(8), "abc")
    adapter = TypeAdapter(DataFacts)
    assert adapter.validate_json(adapter.dump_json(facts)) == facts


def test_moments_are_those_of_the_training_part_in_stored_units() -> None:
    images = pixels(8, 5, 7, 3, high=65536, dtype="uint16")
    found = images_of(data_facts(dataset(ImageArray(pixels=images), [0, 1] * 4), parts(8), ""))
    train = images[:4].astype(np.float64)
    assert found.mean.value == pytest.approx(train.mean(axis=(0, 1, 2)))
    assert found.std.value == pytest.approx(train.std(axis=(0, 1, 2)))
    assert found.mean.sample == "all 4 training samples"
    assert (found.height.value, found.width.value, found.channels, found.depth_bits) == ((5,) * 3, (7,) * 3, 3, 16)


@pytest.mark.parametrize(("shape", "dtype"), [((6, 5, 3), "uint8"), ((6, 5, 1), "uint8"), ((6, 5, 1), "uint16")])
def test_files_and_arrays_have_the_same_facts(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    images = pixels(12, *shape, high=np.iinfo(dtype).max, dtype=dtype)
    targets = [0, 1, 2] * 4
    from_array = data_facts(dataset(ImageArray(pixels=images), targets), parts(12), "")
    from_files = data_facts(dataset(write_images(tmp_path, images), targets), parts(12), "")
    one, other = images_of(from_array), images_of(from_files)
    assert one.mean.value == pytest.approx(other.mean.value)
    assert one.std.value == pytest.approx(other.std.value)
    assert (one.height.value, one.channels, one.depth_bits) == (other.height.value, other.channels, other.depth_bits)
    assert from_array.target == from_files.target


def test_sizes_come_from_the_headers(tmp_path: Path) -> None:
    heights = (3, 9, 5, 5)
    paths = tuple(tmp_path / f"{index}.png" for index in range(4))
    for path, height in zip(paths, heights, strict=True):
        Image.fromarray(pixels(height, 4)).save(path)
    sizes = np.array([(height, 4) for height in heights])
    mixed = ImageFiles(paths=paths, sizes=sizes, channels=1, depth_bits=8)
    found = images_of(data_facts(dataset(mixed, [0, 1, 0, 1]), parts(4), ""))
    assert (found.height.value, found.width.value) == ((3, 5, 9), (4, 4, 4))
    assert found.height.sample == "all 4 images"


def test_large_sets_are_sampled_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pixels(200, 2, 2, 1)
    monkeypatch.setattr(module, "MOST_PIXELS", 4 * 50)
    monkeypatch.setattr(module, "MOST_BYTES", 4 * 20)
    made = dataset(ImageArray(pixels=images), [0, 1] * 100)
    facts = data_facts(made, parts(200), "")
    assert images_of(facts).mean.sample == "50 of 100 training images"
    assert facts.duplicates.sample == "20 of 200 samples"
    assert images_of(facts).mean.value[0] == pytest.approx(images[:100].mean(), rel=0.2)
    assert data_facts(made, parts(200), "") == facts


def test_large_folders_and_tables_are_sampled_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1)
    monkeypatch.setattr(module, "MOST_ROWS", 1)
    files = dataset(write_images(tmp_path, pixels(40, 4, 4, 1)), [0, 1] * 20)
    assert data_facts(files, parts(40), "").duplicates.sample == "16 of 40 samples"
    table = Table(frame=pd.DataFrame({"x": range(40)}), roles=(("x", "numeric"),))
    assert data_facts(dataset(table, [0, 1] * 20), parts(40), "", 1).duplicates.sample == "16 of 40 samples"


def test_repeats_are_counted(tmp_path: Path) -> None:
    images = pixels(8, 4, 4, 1)
    images[5] = images[6] = images[1]
    for inputs in (ImageArray(pixels=images), write_images(tmp_path, images)):
        assert data_facts(dataset(inputs, [0, 1] * 4), parts(8), "").duplicates.value == 2


def test_an_unreadable_image_is_left_out_of_the_moments(tmp_path: Path) -> None:
    files = write_images(tmp_path, pixels(8, 4, 4, 1))
    files.paths[0].write_bytes(b"no image")
    found = images_of(data_facts(dataset(files, [0, 1] * 4), parts(8), ""))
    assert found.mean.sample == "3 of 4 training images"
    for path in files.paths:
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"none of 4 training images can be read.*0\.png"):
        data_facts(dataset(files, [0, 1] * 4), parts(8), "")


def test_regression_has_a_spread_and_no_classes() -> None:
    values = np.arange(16.0).reshape(8, 2)
    facts = data_facts(dataset(ImageArray(pixels=pixels(8, 2, 2, 1)), values, "regression"), parts(8), "").target
    assert facts.counts.value == () and facts.imbalance is None
    assert facts.spread is not None and facts.spread.value == pytest.approx(values[:4].std(axis=0))
    assert facts.spread.sample == "all 4 training samples"


def test_several_labels_a_sample() -> None:
    values = np.array([[1, 0, 0], [1, 1, 0]] * 4, dtype=np.uint8)
    facts = data_facts(dataset(ImageArray(pixels=pixels(8, 2, 2, 1)), values, "multi-label"), parts(8), "").target
    assert facts.counts.value == (4, 2, 0)
    assert facts.imbalance is not None and facts.imbalance.value == 2.0


def test_tables() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.0, np.nan, 3, 4],
            "c": ["a", None, "b", "b"],
            "d": pd.date_range("2020", periods=4),
            "id": [None] * 4,
        }
    )
    roles = (("x", "numeric"), ("c", "categorical"), ("d", "date"), ("id", "left-out"))
    made = dataset(Table(frame=frame, roles=roles), [0, 1, 0, 1], groups=np.array(["g", "h", "g", "h"]))
    facts = data_facts(made, parts(4), "", encoded_width=9)
    assert facts.grouped
    assert isinstance(facts.inputs, TableFacts)
    table = facts.inputs
    assert (table.numeric, table.categorical, table.dates, table.left_out, table.width) == (1, 1, 1, ("id",), 9)
    assert table.missing.value == pytest.approx(2 / 12)
    with pytest.raises(ValueError, match="`encoded_width` must be given"):
        data_facts(made, parts(4), "")


def test_digits() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype(np.uint8)[..., None]
    made = Dataset(
        name="digits",
        kind="built-in",
        inputs=ImageArray(pixels=images),
        targets=Targets(task="single-label", values=digits.target, names=tuple("0123456789")),
        ids=tuple(map(str, range(1797))),
    )
    facts = data_facts(made, parts(1797), "")
    assert facts.target.counts.value == (90, 91, 91, 92, 89, 91, 90, 90, 86, 88)
    assert facts.duplicates.value == 0
    assert images_of(facts).height.value == (8, 8, 8)


@pytest.mark.skipif(not (SHARED / "pneumoniamnist").is_dir(), reason="needs the real data sets (FIELDCRAFT_DATA)")
def test_real_images_against_numpy() -> None:
    archive = np.load(next((SHARED / "pneumoniamnist").glob("*.npz")))
    images, labels = archive["train_images"][..., None], archive["train_labels"].ravel().astype(np.int64)
    made = dataset(ImageArray(pixels=images), labels)
    whole = Parts(train=np.arange(4708), validation=np.arange(0), test=np.arange(0))
    facts = data_facts(made, whole, "")
    assert facts.target.counts.value == (1214, 3494)
    assert images_of(facts).mean.value[0] == pytest.approx(images.mean())
    assert images_of(facts).std.value[0] == pytest.approx(images.std())
    assert images_of(facts).mean.sample == "all 4,708 training samples"
