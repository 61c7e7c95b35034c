"""Cases mapped into memory are what their files hold, are written once, and again when a file changes."""

from pathlib import Path

import numpy as np
import pytest
from tests.data.made_up_cases import ball, noisy, pictures, save, volumes

from fieldcraft.data import store_cases
from fieldcraft.data.case_pixels import image_of, mask_of
from fieldcraft.data.cases import VOID, Cases
from fieldcraft.data.digest import digest
from fieldcraft.data.open import open_data
from fieldcraft.data.store_cases import stored
from fieldcraft.data.take import take
from fieldcraft.errors import DataError


def cases_of(folder: Path) -> Cases:
    inputs = open_data(folder).inputs
    assert isinstance(inputs, Cases)
    return inputs


@pytest.mark.parametrize("piece", [100, 16 * 2**20])
def test_the_store_holds_what_the_files_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(store_cases, "PIECE", piece)
    for folder in (volumes(tmp_path / "volumes", 4), pictures(tmp_path / "pictures", 4)):
        inputs = cases_of(folder)
        store = stored(inputs, tmp_path / f"cache-{piece}")
        for row, case in enumerate(inputs.cases):
            assert np.array_equal(store.image(row), image_of(case, 1))
            assert np.array_equal(store.mask(row), mask_of(case, inputs.table))
            assert store.images[row].dtype == np.uint8
        low = tuple(-2 for _ in store.shape(1))
        pixels, ids = store.patch(1, low, [7] * len(low))
        corner = tuple(slice(0, 5) for _ in low)
        assert np.array_equal(pixels[:, *(slice(2, None) for _ in low)], image_of(inputs.cases[1], 1)[:, *corner])
        assert (ids[0] == VOID).all()


def test_it_is_written_once_and_again_when_a_file_changes(tmp_path: Path) -> None:
    folder, cache = volumes(tmp_path / "data", 3), tmp_path / "cache"
    stored(cases_of(folder), cache)
    first = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    stored(cases_of(folder), cache)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == first
    save(folder / "imagesTr/case_01.nii.gz", noisy(ball(10, 12, 8), 99))
    inputs = cases_of(folder)
    store = stored(inputs, cache)
    assert len(list(cache.iterdir())) == 2
    assert np.array_equal(store.image(1), image_of(inputs.cases[1], 1))


def test_gray_among_coloured_pictures_is_repeated(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "data", 4)
    save(folder / "images/0.png", np.repeat(noisy(ball(16, 20), 0)[..., None], 3, axis=2))
    store = stored(cases_of(folder), tmp_path / "cache")
    assert store.image(1).shape == (3, 16, 20) and (store.image(1)[0] == store.image(1)[2]).all()


def test_a_damaged_case_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    folder = volumes(tmp_path / "data", 3, shape=(30, 30, 30))
    file = folder / "imagesTr/case_01.nii.gz"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"case_01: .*cut short"):
        stored(cases_of(folder), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_unknown_label_is_not_trained_on(tmp_path: Path) -> None:
    odd = 2 * ball(10, 12, 8)
    odd[0, 0, 0] = 1
    folder = volumes(tmp_path / "data", 3, mask=lambda number: odd, said={"labels": {"background": 0, "organ": 2}})
    with pytest.raises(DataError, match="case_00: the mask holds numbers of no class: 1"):
        stored(cases_of(folder), tmp_path / "cache")


def test_digest_and_taking_follow_the_cases(tmp_path: Path) -> None:
    folder = volumes(tmp_path / "data", 4)
    dataset = open_data(folder)
    assert digest(dataset) == digest(open_data(folder))
    some = take(dataset, np.array([2, 0]))
    assert isinstance(some.inputs, Cases)
    assert [case.name for case in some.inputs.cases] == ["case_02", "case_00"] == list(some.ids)
    assert some.targets.names == dataset.targets.names
    before = digest(dataset)
    save(folder / "labelsTr/case_01.nii.gz", ball(10, 12, 8, radius=2))
    assert digest(open_data(folder)) != before
