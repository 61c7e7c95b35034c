"""Slices as pictures: what is wrong has the colour of its kind, and outlines run where classes meet."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from fieldcraft.report import outlines
from fieldcraft.report.outlines import Slice, drawn_size, mistaken, outlined


def pictures(drawing) -> list[np.ndarray]:
    """The pixels of each picture in a drawing, (height, width, 4)."""
    found = re.findall(r'href="data:image/png;base64,([^"]+)"', str(drawing))
    return [np.asarray(Image.open(BytesIO(base64.b64decode(one))).convert("RGBA")) for one in found]


def slice_of(truth: np.ndarray, predicted: np.ndarray, **more) -> Slice:
    given = {
        "image": np.full(truth.shape, 120, np.uint8), "uncertainty": np.zeros(truth.shape, np.uint8),
        "pixel": (1.0, 1.0), "ends": "",
    }  # fmt: skip
    return Slice(truth=truth, predicted=predicted, **{**given, **more})


def test_every_wrong_voxel_has_the_colour_of_its_kind() -> None:
    truth = np.array([[0, 0, 0, 0], [0, 1, 1, 2], [0, 1, 1, 2], [-1, 0, 0, 0]], np.int16)
    predicted = np.array([[0, 2, 0, 0], [0, 1, 0, 1], [0, 1, 1, 2], [1, 0, 0, 0]], np.int16)
    (shown,) = pictures(mistaken(slice_of(truth, predicted), "x"))
    block = shown.shape[0] // 4
    middles = shown[block // 2 :: block, block // 2 :: block, :3]
    white = (250, 250, 250)
    wanted = {(0, 1): outlines.IMAGINED, (1, 2): outlines.MISSED, (1, 3): outlines.MIXED, (3, 0): outlines.VOID}
    for row in range(4):
        for column in range(4):
            assert tuple(middles[row, column]) == wanted.get((row, column), white), (row, column)


def test_unsure_voxels_are_darker() -> None:
    flat = np.zeros((1, 8), np.int16)
    (shown,) = pictures(mistaken(slice_of(flat, flat, uncertainty=np.linspace(0, 255, 8).astype(np.uint8)[None]), "x"))
    block = shown.shape[1] // 8
    grey = shown[shown.shape[0] // 2, block // 2 :: block, 0].astype(int)
    assert (np.diff(grey) < 0).all()


def test_outlines_run_where_classes_meet_and_nowhere_else() -> None:
    truth, predicted = np.zeros((12, 12), np.int16), np.zeros((12, 12), np.int16)
    truth[3:9, 3:9], predicted[3:9, 3:6] = 1, 1
    image, overlay = pictures(outlined(slice_of(truth, predicted), "x"))
    assert image.shape[:2] == (12, 12) and (image[..., 0] == 120).all()
    block = overlay.shape[0] // 12

    def colours(row: int, column: int) -> set[tuple[int, ...]]:
        """Around the border between a voxel and the next to the right."""
        at = (row * block + block // 2, (column + 1) * block)
        return {tuple(one[:3]) for one in overlay[at[0], at[1] - 2 : at[1] + 2] if one[3] == 255}

    assert outlines.PREDICTED in colours(5, 2) and outlines.PREDICTED in colours(5, 5)
    assert colours(5, 8) == {outlines.TRUTH}
    assert colours(5, 0) == colours(0, 5) == set()


@pytest.mark.parametrize(("shape", "pixel"), [((60, 12), (1.0, 5.0)), ((12, 60), (5.0, 1.0)), ((20, 320), (3.6, 0.62))])
def test_lines_are_as_wide_down_as_across_where_voxels_are_no_squares(
    shape: tuple[int, int], pixel: tuple[float, float]
) -> None:
    truth = np.zeros(shape, np.int16)
    truth[shape[0] // 4 : -shape[0] // 4, shape[1] // 4 : -shape[1] // 4] = 1
    slice_ = slice_of(truth, np.zeros_like(truth), pixel=pixel)
    wide, high = slice_.size
    lines = [pictures(outlined(slice_, "x"))[1][..., :3] == outlines.TRUTH]
    lines.append(pictures(mistaken(slice_, "x"))[0][..., :3] == outlines.RIM)
    for line in lines:
        rows, columns = line.shape[:2]
        middle = line.all(axis=-1)
        across, down = middle[rows // 2].sum() / 2 * wide / columns, middle[:, columns // 2].sum() / 2 * high / rows
        assert across == pytest.approx(down, rel=0.15) and 0.4 < across < 20


def test_told_apart_without_colour() -> None:
    """In grey, by lightness; outlines differ by width besides."""

    def grey(colour: tuple[int, ...]) -> float:
        return float(np.dot(colour, (0.299, 0.587, 0.114)))

    assert grey(outlines.TRUTH) - grey(outlines.PREDICTED) > 35
    shades = sorted(map(grey, (outlines.MISSED, outlines.MIXED, outlines.IMAGINED)))
    assert np.diff(shades).min() > 40 and shades[0] < 60


def test_slices_keep_their_proportions() -> None:
    assert drawn_size((10, 40), (5.0, 1.0)) == (336.0, 420.0)
    drawn = str(outlined(slice_of(np.zeros((10, 40), np.int16), np.zeros((10, 40), np.int16), pixel=(5.0, 1.0)), "x"))
    assert 'viewBox="0 0 336 420"' in drawn
