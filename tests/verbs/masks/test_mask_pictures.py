"""Slices lie as people look at them, whatever the order and direction of the axes in the file."""

from itertools import permutations, product

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, ornt_transform

from fieldcraft.data.cases import Geometry
from fieldcraft.prediction.masks.model import PredictedMask
from fieldcraft.verbs.masks.largest import drawn, largest_of
from fieldcraft.verbs.masks.pictures import shown_slices

CODES = ["".join(one) for axes in permutations(("RL", "AP", "SI")) for one in product(*axes)]
SHAPE, SPACING = (6, 7, 5), (1.0, 1.5, 4.0)


def ras_case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, truth and prediction with axes towards right, anterior, superior; all differ at one voxel."""
    rng = np.random.default_rng(0)
    truth = np.zeros(SHAPE, np.int16)
    truth[1:4, 2:6, 1:4] = 1
    predicted = truth.copy()
    predicted[3, 5, 3] = 0
    return rng.integers(0, 255, SHAPE).astype(np.uint8), truth, predicted


def in_axes(values: np.ndarray, codes: str) -> np.ndarray:
    """The same volume with axes that point elsewhere."""
    return nibabel.orientations.apply_orientation(
        values, ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(tuple(codes)))
    )


def geometry(codes: str) -> Geometry:
    order = [("RL", "AP", "SI").index(next(ends for ends in ("RL", "AP", "SI") if code in ends)) for code in codes]
    return Geometry(
        shape=tuple(SHAPE[one] for one in order), spacing=tuple(SPACING[one] for one in order), unit="mm",
        orientation=codes,
    )  # fmt: skip


def shown(codes: str):
    image, truth, predicted = (in_axes(one, codes) for one in ras_case())
    said = PredictedMask(
        mask=predicted, probabilities=np.stack([predicted == 0, predicted == 1]).astype(np.float32), names=("a", "b")
    )
    return shown_slices(image[None], truth, said, geometry(codes), name="x", score=0.5)


@pytest.mark.parametrize("codes", CODES)
def test_the_same_volume_looks_the_same_in_any_orientation(codes: str) -> None:
    for one, other in zip(shown(codes), shown("RAS"), strict=True):
        assert one.ends == other.ends and one.pixel == other.pixel
        for what in ("image", "truth", "predicted", "uncertainty"):
            assert np.array_equal(getattr(one, what), getattr(other, what)), what


def test_planes_are_those_of_a_radiologist() -> None:
    axial, coronal, sagittal = sorted(shown("RAS"), key=lambda one: ("axial", "coronal").index(one.where.split()[0])
                                      if one.where.split()[0] in ("axial", "coronal") else 2)  # fmt: skip
    image, _, _ = ras_case()
    scaled = image.astype(np.float32)
    low, high = np.percentile(scaled, [0.5, 99.5])
    grey = ((scaled - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
    assert np.array_equal(axial.image, grey[::-1, ::-1, 3].T) and axial.ends == "ALPR"
    assert np.array_equal(coronal.image, grey[::-1, 5, ::-1].T) and coronal.ends == "SLIR"
    assert np.array_equal(sagittal.image, grey[3, ::-1, ::-1].T) and sagittal.ends == "SPIA"
    assert axial.pixel == (1.5, 1.0) and coronal.pixel == (4.0, 1.0) and sagittal.pixel == (4.0, 1.5)
    assert (axial.where, coronal.where, sagittal.where) == (
        "axial slice 4 of 5", "coronal slice 6 of 7", "sagittal slice 4 of 6",
    )  # fmt: skip


def test_without_an_orientation_axes_stay_as_they_are() -> None:
    image, truth, predicted = ras_case()
    said = PredictedMask(mask=predicted, probabilities=np.full((2, *SHAPE), 0.5, np.float32), names=("a", "b"))
    unknown = Geometry(shape=SHAPE, spacing=SPACING)
    first = shown_slices(image[None], truth, said, unknown, name="x", score=0.5)[0]
    assert np.array_equal(first.truth, truth[:, :, 3]) and first.ends == "" and first.where.endswith("along axis 2")


@pytest.mark.parametrize("codes", ["RAS", "LPS", "ASR", "PIL"])
def test_the_largest_object_lies_in_its_box(codes: str) -> None:
    image, truth, _ = ras_case()
    truth[5, 6, 4] = 2  # a speck of another class
    found = largest_of(in_axes(image, codes)[None], in_axes(truth, codes), geometry(codes), name="x", than=None)
    assert found is not None and found.class_id == 1 and found.volume == 3 * 4 * 3 * 6.0
    by_spacing = dict(zip(found.geometry.spacing, found.extent, strict=True))
    assert by_spacing == {1.0: 3.0, 1.5: 6.0, 4.0: 12.0}
    # axial, anterior up: rows of A 2..5 of 7 from above are 1..4, columns of R 1..3 of 6 from the patient's right 2..4
    plane = drawn(found)
    assert plane.box == (1, 2, 5, 5) and plane.ends == "ALPR"
    smaller = np.zeros(SHAPE, np.int16)
    smaller[0, 0, 0] = 1
    again = largest_of(image[None], smaller, geometry("RAS"), name="y", than=found)
    assert again is found


@pytest.mark.parametrize("row", [0, 501, 502, 1023])
def test_an_object_thinner_than_the_step_of_a_thinned_slice_has_a_box(row: int) -> None:
    truth = np.zeros((1024, 600), np.int16)
    truth[row, 7:10] = 1
    image = np.zeros((1, *truth.shape), np.uint8)
    found = largest_of(image, truth, Geometry(shape=truth.shape, spacing=(1.0, 1.0), unit="px"), name="x", than=None)
    assert found is not None and found.extent == (1.0, 3.0)
    plane = drawn(found)
    assert plane.step == 2 and plane.image.shape == (512, 300)
    assert plane.box == (row // 2, 3, row // 2 + 1, 5)


@pytest.mark.parametrize("codes", ["RAS", "LPI"])
def test_the_box_of_a_thinned_slice_holds_every_kept_pixel_of_the_object(codes: str) -> None:
    truth = np.zeros((600, 1100, 2), np.int16)
    truth[301:404, 77:500, 1] = 1
    laid = Geometry(shape=truth.shape, spacing=(1.0, 1.0, 3.0), unit="mm", orientation=codes)
    found = largest_of(truth[None], truth, laid, name="x", than=None)
    assert found is not None
    plane = drawn(found)
    rows, columns = (np.flatnonzero((plane.image > 0).any(axis=axis)) for axis in (1, 0))
    top, left, bottom, right = plane.box
    assert plane.step == 3 and plane.image.shape == (367, 200)
    for first, last, kept in ((top, bottom, rows), (left, right, columns)):
        assert first in (kept[0], kept[0] - 1) and last in (kept[-1] + 1, kept[-1] + 2)


def test_the_largest_piece_of_a_series_lies_in_one_row() -> None:
    truth = np.zeros(40, np.int16)
    truth[11:19] = 1
    found = largest_of(truth[None], truth, Geometry(shape=(40,), spacing=(1.0,), unit="px"), name="x", than=None)
    assert found is not None and drawn(found).box == (0, 11, 1, 19) and drawn(found).image.shape == (1, 40)
