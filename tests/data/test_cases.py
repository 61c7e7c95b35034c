import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.data.case_store import CaseStore
from fieldcraft.data.cases import UNKNOWN, VOID, ClassTable

TABLE = ClassTable(names=("background", "left", "right"), values=(0, 7, 300), void=(255,))


def test_numbers_become_class_ids_and_others_are_known_to_be_unknown() -> None:
    raw = np.array([[0, 7, 300], [255, 8, 65535]], np.uint16)
    assert TABLE.ids(raw).tolist() == [[0, 1, 2], [VOID, UNKNOWN, UNKNOWN]]
    assert TABLE.ids(raw).dtype == np.int16


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64, np.float32])
def test_every_type_of_number_is_looked_up_alike(dtype: type) -> None:
    table = ClassTable(names=("a", "b"), values=(3, 100), void=(-1,) if np.dtype(dtype).kind in "if" else ())
    raw = np.array([[3, 100, 5], [0, 3, 3]]).astype(dtype)
    if table.void:
        raw[1, 0] = -1
    expected = [[0, 1, UNKNOWN], [VOID if table.void else UNKNOWN, 0, 0]]
    assert (
        table.ids(raw).tolist() == expected and table.ids(raw.T[::-1]).tolist() == np.array(expected).T[::-1].tolist()
    )


def test_whole_floats_count_and_fractions_are_unknown() -> None:
    assert TABLE.ids(np.array([7.0, 7.5, np.nan], np.float32)).tolist() == [1, UNKNOWN, UNKNOWN]


@given(data=st.data())
def test_a_patch_is_what_padding_the_whole_case_would_give(data: st.DataObject) -> None:
    spatial = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 6)) for _ in range(spatial))
    random = np.random.default_rng(len(shape))
    image = random.integers(0, 255, (2, *shape), dtype=np.uint8)
    mask = random.integers(0, 3, shape).astype(np.int8)
    start = tuple(data.draw(st.integers(-4, side - 1)) for side in shape)
    size = tuple(data.draw(st.integers(1 - min(first, 0), 12)) for first in start)
    store = CaseStore(images=(image,), masks=(mask,))
    pixels, ids = store.patch(0, start, size)
    wide = [(20, 20)] * spatial
    box = tuple(slice(first + 20, first + 20 + many) for first, many in zip(start, size, strict=True))
    assert np.array_equal(pixels, np.pad(image, [(0, 0), *wide], mode="edge")[:, *box])
    assert np.array_equal(ids, np.pad(mask, wide, constant_values=VOID)[box])
    assert (pixels.dtype, ids.dtype) == (np.float32, np.int16)
    assert np.array_equal(store.image_patch(0, start, size), pixels)


def test_a_box_beside_the_case_and_a_case_without_a_mask_are_refused() -> None:
    store = CaseStore(images=(np.zeros((1, 4, 4), np.uint8),), masks=(None,))
    with pytest.raises(ValueError, match="does not touch"):
        store.image_patch(0, (4, 0), (2, 2))
    with pytest.raises(ValueError, match="no mask"):
        store.patch(0, (0, 0), (2, 2))
