import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.data.patches.cut import cut

FAR = 40
MODES = {
    "constant": {"mode": "constant", "constant_values": 7},
    "edge": {"mode": "edge"},
    "reflect": {"mode": "reflect"},
}


@given(
    padding=st.sampled_from(sorted(MODES)),
    sides=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    lead=st.booleans(),
    data=st.data(),
)
def test_a_box_is_cut_from_an_array_that_goes_on_as_numpy_pads_it(padding, sides, lead, data) -> None:
    start = [data.draw(st.integers(-12, 12)) for _ in sides]
    size = [data.draw(st.integers(1, 15)) for _ in sides]
    shape = (2, *sides) if lead else tuple(sides)
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    wide = np.pad(array, [(0, 0)] * lead + [(FAR, FAR)] * len(sides), **MODES[padding])
    slow = wide[(..., *(slice(FAR + first, FAR + first + side) for first, side in zip(start, size, strict=True)))]
    fast = cut(array, start, size, dtype=np.float32, padding=padding, value=7)
    assert fast.dtype == np.float32
    assert np.array_equal(fast, slow)


def test_a_box_is_a_copy_that_can_be_changed() -> None:
    array = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    box = cut(array, (0, 0), (3, 4), dtype=np.float32)
    box += 1
    assert array[0, 0] == 0


def test_the_value_beyond_the_border_may_differ_by_channel() -> None:
    box = cut(np.zeros((2, 3), np.uint8), (-1,), (2,), dtype=np.float32, value=np.array([[4.5], [6.0]]))
    assert box.tolist() == [[4.5, 0.0], [6.0, 0.0]]


@pytest.mark.parametrize("padding", sorted(MODES))
def test_of_a_mapped_file_only_the_box_is_read(tmp_path, padding) -> None:
    path = tmp_path / "image.npy"
    np.save(path, np.arange(1000, dtype=np.int16).reshape(1, 10, 10, 10))
    mapped = np.load(path, mmap_mode="r")
    box = cut(mapped, (8, 0, 3), (4, 2, 2), dtype=np.float32, padding=padding)
    assert type(box) is np.ndarray
    assert box[0, 0, 0].tolist() == [803.0, 804.0]
