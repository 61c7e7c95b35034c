"""What views do to numbers, group by group, against torch on the numbers themselves."""

from math import prod

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.anatomy.overlay import _region, _written
from fieldcraft.anatomy.structure import _compact, _groups, _viewed


@st.composite
def factored(draw: st.DrawFn, numbers: int) -> tuple[int, ...]:
    """A shape of so many numbers."""
    sides = []
    for _ in range(draw(st.integers(0, 3))):
        side = draw(st.sampled_from([one for one in range(1, numbers + 1) if numbers % one == 0]))
        sides.append(side)
        numbers //= side
    return tuple(draw(st.permutations([*sides, numbers])))


@given(st.data())
def test_a_view_moves_numbers_as_torch_does(data: st.DataObject) -> None:
    numbers = data.draw(st.sampled_from([1, 2, 4, 6, 12, 36, 60, 64]))
    before, after = data.draw(factored(numbers)), data.draw(factored(numbers))
    sides = tuple(data.draw(st.sampled_from(sorted({1, side}))) for side in before)
    moved = torch.arange(prod(sides)).reshape(sides).expand(before).reshape(after)
    found = _viewed(sides, before, after)
    assert found is not None
    assert np.array_equal(np.broadcast_to(found, after), moved.numpy())
    assert found.shape == _compact(moved).shape


def test_groups_are_as_small_as_can_be() -> None:
    assert _groups((2, 6, 4), (2, 3, 2, 4)) == [((0, 1), (0, 1)), ((1, 2), (1, 3)), ((2, 3), (3, 4))]
    assert _groups((4, 3), (3, 4)) == [((0, 2), (0, 2))]


@given(st.data())
def test_writing_into_a_block_is_writing_into_its_storage(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    starts = tuple(data.draw(st.integers(0, side - 1)) for side in shape)
    stops = tuple(data.draw(st.integers(start + 1, side)) for start, side in zip(starts, shape, strict=True))
    old = torch.arange(prod(shape)).reshape(shape)
    block = old[tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))]
    region = _region(old, block)
    assert region is not None
    before, after = old.numpy().copy(), block.numpy().copy() + 100
    block += 100
    assert np.array_equal(np.broadcast_to(_written(before, after, region, shape), shape), old.numpy())


def test_a_turned_view_is_no_block() -> None:
    old = torch.zeros(3, 3)
    assert _region(old, old.t()) is None
    assert _region(old, old[::2]) is None
