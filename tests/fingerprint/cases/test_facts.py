"""Facts of images with masks, against cases whose facts are known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.made_up_cases import Array, ball, noisy, save, volumes

from fieldcraft.data.cases import Cases
from fieldcraft.data.open import open_data
from fieldcraft.fingerprint.cases import one_case as one_case_module
from fieldcraft.fingerprint.cases.facts import case_facts
from fieldcraft.fingerprint.cases.objects import interior, objects
from fieldcraft.records.segmentation import CaseFacts, Mirror

SHAPE = (24, 30, 20)


def facts(folder: Path, **limits: float) -> CaseFacts:
    dataset = open_data(folder)
    assert isinstance(dataset.inputs, Cases)
    return case_facts(dataset.inputs, np.arange(len(dataset)), **limits)


def box(*sides: tuple[int, int], shape: tuple[int, ...] = SHAPE, value: int = 1) -> Array:
    found = np.zeros(shape, np.uint8)
    found[tuple(slice(low, high) for low, high in sides)] = value
    return found


def test_objects_of_boxes_are_their_sides() -> None:
    region = box((2, 6), (3, 10), (4, 5)) + box((12, 14), (20, 23), (10, 18))
    found = objects(region == 1)
    assert found is not None
    assert sorted(map(tuple, found.extents.tolist())) == [(2, 3, 8), (4, 7, 1)]
    assert found.voxels == 28 + 48
    assert np.allclose(found.centre[0], (28 * 4 + 48 * 13) / 76 / 24)
    assert np.allclose(
        sorted(map(tuple, found.middles.tolist())), [(4 / 24, 6.5 / 30, 4.5 / 20), (13 / 24, 21.5 / 30, 14 / 20)]
    )


def test_touching_by_a_corner_is_one_object_and_specks_are_none() -> None:
    region = np.zeros((60, 60), np.bool_)
    region[0:40, 0:40] = True
    region[40:44, 40:44] = True
    region[59, 59] = True
    found = objects(region)
    assert found is not None and found.extents.tolist() == [[44, 44]]


@given(st.integers(1, 3), st.integers(0, 10**6))
def test_the_interior_is_what_counting_neighbours_gives(spatial: int, seed: int) -> None:
    region = np.random.default_rng(seed).random((5,) * spatial) < 0.7
    slow = np.zeros_like(region)
    for place in np.ndindex(region.shape):
        steps = [(axis, step) for axis in range(spatial) for step in (-1, 1)]
        beside = [tuple(at + step * (axis == which) for which, at in enumerate(place)) for axis, step in steps]
        slow[place] = region[place] and all(all(0 <= at < 5 for at in one) and bool(region[one]) for one in beside)
    assert np.array_equal(interior(region), slow)


def test_extents_shares_and_counts(tmp_path: Path) -> None:
    spacing = np.diag([1.0, 0.5, 3.0, 1.0])
    mask = box((2, 6), (3, 10), (4, 5)) + box((12, 16), (20, 27), (10, 11))
    folder = volumes(tmp_path, 5, shape=SHAPE, mask=lambda number: mask, affine=spacing)
    found = facts(folder)
    assert (found.spatial, found.channels, found.unit, found.orientations) == (3, 1, "mm", ("RAS",))
    assert [one.median for one in found.shape.value] == list(SHAPE)
    assert [one.median for one in found.spacing.value] == [1.0, 0.5, 3.0] and found.anisotropy.value == 6.0
    background, organ = found.classes.value
    assert (organ.name, organ.cases) == ("foreground", 1.0)
    assert organ.share == pytest.approx(56 / np.prod(SHAPE)) and background.share == pytest.approx(1 - organ.share)
    assert [one.median for one in organ.extent_px] == [4, 7, 1] and [one.median for one in organ.extent_mm] == [
        4,
        3.5,
        3,
    ]
    assert organ.objects is not None and organ.objects.median == 2 and organ.boundary == 1.0
    assert background.objects is None and background.extent_px == ()
    assert found.memory_mib.value == pytest.approx(5 * found.largest_mib.value)
    assert found.largest_mib.value == pytest.approx(np.prod(SHAPE) * 5 / 2**20)
    assert found.classes.sample == "all 5 training cases"


def test_intensities_within_a_class_and_from_case_to_case(tmp_path: Path) -> None:
    mask = ball(*SHAPE, radius=6)
    for number in range(6):
        noise = np.random.default_rng(number).normal(0, 1, SHAPE)
        image = (100 * mask + 10 + noise) * (10.0 if number % 2 else 1.0)
        save(tmp_path / f"imagesTr/c{number}.nii.gz", image.astype(np.float32))
        save(tmp_path / f"labelsTr/c{number}.nii.gz", mask)
    found = facts(tmp_path)
    organ = found.classes.value[1].intensity[0]
    assert organ.mean == pytest.approx(110 * 5.5, rel=0.05)
    assert found.foreground.value[0] == organ
    assert found.scales is not None and found.scales.value[0] == pytest.approx(10, rel=0.05)


def test_large_cases_are_looked_at_at_every_other_voxel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_case_module, "LARGEST", 24 * 30 * 20 // 8)
    monkeypatch.setattr(one_case_module, "PIECE", 24 * 30 * 3)
    found = facts(volumes(tmp_path, 4, shape=SHAPE, mask=lambda number: box((4, 12), (10, 20), (6, 14))))
    organ = found.classes.value[1]
    assert [one.median for one in organ.extent_px] == [8, 10, 8] == [one.median for one in organ.extent_mm]
    assert organ.share == pytest.approx(640 / np.prod(SHAPE))
    assert "every 2th voxel" in found.classes.sample


def test_cases_are_read_as_long_as_there_is_time(tmp_path: Path) -> None:
    found = facts(volumes(tmp_path, 8, shape=SHAPE), limit_s=0.0)
    assert found.classes.sample == "4 of 8 training cases" and found.shape.sample == "all 8 cases"


def two(number: int, *, sized: int = 0, jitter: int = 0) -> Array:
    """Two organs beside each other along the first axis, in the middle of the second, anywhere along the third."""
    random = np.random.default_rng(number)
    third, second = int(random.integers(0, 12)), 10 + int(random.integers(-jitter, jitter + 1))
    left = box((3, 8), (second, second + 8), (third, third + 6))
    return left + box((14, 19 + sized), (second, second + 8 + sized), (third, third + 6 + sized // 4), value=2)


def test_left_and_right_of_one_kind_forbid_the_mirror_between_them(tmp_path: Path) -> None:
    found = facts(volumes(tmp_path, 24, shape=SHAPE, mask=lambda number: two(number, jitter=6))).mirrors.value
    assert found[0].survives == "no" and "beside each other in one order in 100% of 24 cases" in found[0].because
    assert found[1].survives != "no" and found[2].survives != "no"


def test_organs_of_other_sizes_only_keep_to_a_side(tmp_path: Path) -> None:
    found = facts(volumes(tmp_path, 24, shape=SHAPE, mask=lambda number: two(number, sized=4))).mirrors.value
    assert found[0].survives == "cannot-tell" and "keeps to a side" in found[0].because


def test_an_organ_that_is_anywhere_allows_all_mirrors(tmp_path: Path) -> None:
    random = np.random.default_rng(4)

    def anywhere(number: int) -> Array:
        at = [int(random.integers(0, side - 5)) for side in SHAPE]
        return box(*[(low, low + 5) for low in at])

    found = facts(volumes(tmp_path, 40, shape=SHAPE, mask=anywhere)).mirrors.value
    assert [one.survives for one in found] == ["yes", "yes", "yes"]


def test_few_cases_tell_nothing(tmp_path: Path) -> None:
    found = facts(volumes(tmp_path, 5, shape=SHAPE, mask=two)).mirrors.value
    assert {one.survives for one in found} == {"cannot-tell"}


def test_void_voxels_count_for_no_class(tmp_path: Path) -> None:
    mask = box((4, 12), (10, 20), (6, 14))
    mask[0] = 9
    folder = volumes(
        tmp_path, 4, shape=SHAPE, mask=lambda number: mask, said={"labels": {"background": 0, "a": 1, "ignore": 9}}
    )
    found = facts(folder)
    assert found.void.value == pytest.approx(1 / 24)
    assert sum(one.share for one in found.classes.value) == pytest.approx(1.0)


def test_pictures_have_two_axes_and_a_minority_background_is_an_object(tmp_path: Path) -> None:
    for number in range(4):
        mask = np.ones((40, 50), np.uint8)
        mask[10 + number] = 0
        save(tmp_path / f"images/{number}a.png", noisy(mask, number))
        save(tmp_path / f"masks/{number}a.png", mask)
    found = facts(tmp_path)
    line = found.classes.value[0]
    assert found.spatial == 2 and line.objects is not None
    assert [one.median for one in line.extent_px] == [1, 50] and line.boundary == 1.0


def test_the_hippocampus_is_what_its_papers_say(real_data: Path) -> None:
    folder = real_data / "msd_hippocampus"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    dataset = open_data(folder)
    assert isinstance(dataset.inputs, Cases)
    found = case_facts(dataset.inputs, np.arange(0, 260, 5))
    assert [one.median for one in found.shape.value] == pytest.approx([35, 50, 36], abs=1)
    assert found.scales is not None and found.scales.value[0] > 10
    assert all(
        one.objects is not None and one.objects.median == 1 and one.cases == 1 for one in found.classes.value[1:]
    )
    assert found.mirrors.value[1].survives == "no"


def pieces_at(places: Array, value: int = 1) -> Array:
    """Squares of two at some places of a picture."""
    mask = np.zeros((60, 60), np.uint8)
    for row, column in places:
        mask[row : row + 2, column : column + 2] = value
    return mask


def scattered(number: int, *, within: float = 1.0) -> Array:
    """Some fifty pieces on a grid of 10 x 10, all within a share of the rows."""
    random = np.random.default_rng(number)
    rows = max(1, round(10 * within))
    places = [(6 * row, 6 * column) for row in range(rows) for column in range(10)]
    return np.array([places[one] for one in random.choice(len(places), len(places) // 2, replace=False)])


def piecewise(folder: Path, mask: Callable[[int], Array]) -> tuple[Mirror, ...]:
    """What eight pictures of 60 x 60 say of their mirrors."""
    for number in range(8):
        save(folder / "images" / f"p{number}x.png", noisy(mask(number), number))
        save(folder / "masks" / f"p{number}x.png", mask(number))
    return facts(folder).mirrors.value


def test_pieces_on_either_side_allow_the_mirror_however_few_the_cases(tmp_path: Path) -> None:
    found = piecewise(tmp_path, lambda number: pieces_at(scattered(number)))
    assert [one.survives for one in found] == ["yes", "yes"]
    assert "many pieces, on either side of the middle alike" in found[0].because


def test_pieces_that_keep_to_one_side_do_not(tmp_path: Path) -> None:
    found = piecewise(tmp_path, lambda number: pieces_at(scattered(number, within=0.5)))
    assert found[0].survives == "cannot-tell" and found[1].survives == "yes"


def test_pieces_of_two_kinds_that_only_their_form_may_tell_apart_do_not(tmp_path: Path) -> None:
    def both(number: int) -> Array:
        places = scattered(number)
        half = len(places) // 2
        return pieces_at(places[:half]) + pieces_at(places[half:], value=2)

    found = piecewise(tmp_path, both)
    assert {one.survives for one in found} == {"cannot-tell"}
