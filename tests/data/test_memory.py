"""Decoding: in memory and through the file the same pixels; used again; nothing half-written; failures named."""

import os
from pathlib import Path

import numpy as np
import pytest

from fieldcraft.data import memory
from fieldcraft.data.dataset import Dataset, ImageArray
from fieldcraft.data.images import load_image
from fieldcraft.data.memory import decode
from fieldcraft.data.open import open_data
from fieldcraft.errors import DataError, RunError


def size(dataset: Dataset, cache: Path, room_mib: int | None = None) -> np.ndarray:
    return decode(dataset, height=6, width=5, cache=cache, room_mib=room_mib).pixels


def test_file_and_memory_hold_the_same(cats_and_dogs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CHUNK_MIB", 0)  # one image a chunk
    dataset = open_data(cats_and_dogs)
    near, far = size(dataset, tmp_path / "cache"), size(dataset, tmp_path / "cache", room_mib=0)
    assert near.shape == (12, 6, 5, 3) and near.dtype == np.uint8 and not isinstance(near, np.memmap)
    assert isinstance(far, np.memmap) and (near == far).all()
    one = load_image(cats_and_dogs / "dog" / "2.png", height=6, width=5, channels=3, depth_bits=8)
    assert (near[dataset.ids.index("dog/2.png")] == one).all()


def test_the_file_is_used_again_until_something_changes(cats_and_dogs: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    size(open_data(cats_and_dogs), cache, 0)
    (first,) = cache.iterdir()
    written = first.stat().st_mtime_ns
    size(open_data(cats_and_dogs), cache, 0)
    assert [first] == list(cache.iterdir()) and first.stat().st_mtime_ns == written
    os.utime(cats_and_dogs / "cat" / "0.png", (1, 1))
    size(open_data(cats_and_dogs), cache, 0)
    assert len(list(cache.iterdir())) == 2


def test_16_bits_stay_16_bits(draw, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for kind in ("a", "b"):
        for number in range(2):
            draw(f"{kind}/{number}.png", channels=1, bits=16)
    assert size(open_data(tmp_path), tmp_path / "cache").dtype == np.uint16


def test_arrays_of_that_size_come_back_unchanged_others_are_resized(tmp_path: Path) -> None:
    digits = open_data("digits")
    assert decode(digits, height=8, width=8, cache=tmp_path) is digits.inputs
    small, mapped = size(digits, tmp_path), size(digits, tmp_path, 0)
    assert small.shape == (1797, 6, 5, 1) and (small == mapped).all() and small.max() <= 16
    floats = open_data((np.random.default_rng(0).random((4, 9, 9)).astype(np.float32), [0, 1, 0, 1]))
    assert size(floats, tmp_path).dtype == np.float32
    assert isinstance(decode(floats, height=6, width=5, cache=tmp_path), ImageArray)


@pytest.mark.parametrize("room", [None, 0])
def test_files_that_break_while_decoding_are_all_named(
    cats_and_dogs: Path, tmp_path: Path, room: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CHUNK_MIB", 0)
    for name in ("cat/1.png", "dog/5.png"):
        path = cats_and_dogs / name
        path.write_bytes(path.read_bytes()[:-40])  # the header is whole, the pixels are not
    dataset = open_data(cats_and_dogs)
    assert not dataset.problems
    with pytest.raises(DataError, match=r"(?s)2 sample\(s\).*cat/1\.png: damaged.*dog/5\.png: damaged"):
        size(dataset, tmp_path / "cache", room)
    assert not list((tmp_path / "cache").glob("*")) and not list((tmp_path / "cache").glob(".*"))


def test_unreadable_files_found_before_are_refused_too(cats_and_dogs: Path, tmp_path: Path) -> None:
    (cats_and_dogs / "cat" / "2.png").write_text("no picture")
    with pytest.raises(DataError, match=r"cat/2\.png"):
        size(open_data(cats_and_dogs), tmp_path)


def test_a_cache_that_cannot_be_written(cats_and_dogs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write the decoded images"):
        size(open_data(cats_and_dogs), tmp_path / "file" / "cache", 0)


def test_a_disk_that_fills_up_is_an_error_and_leaves_nothing_behind(cats_and_dogs: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits on the size of files stand for a full disk")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(RunError, match="Free some space"):
            decode(open_data(cats_and_dogs), height=64, width=64, cache=tmp_path / "cache", room_mib=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list((tmp_path / "cache").iterdir())


def test_a_damaged_cache_is_named(cats_and_dogs: Path, tmp_path: Path) -> None:
    dataset = open_data(cats_and_dogs)
    size(dataset, tmp_path / "cache", 0)
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RunError, match="is damaged"):
        size(dataset, tmp_path / "cache", 0)


def test_tables_are_not_decoded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a table"):
        size(open_data("diabetes"), tmp_path)
