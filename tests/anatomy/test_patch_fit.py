import subprocess
import sys
from itertools import pairwise
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.anatomy.patch_fit import fitting, shrinking

axes = st.integers(1, 3).flatmap(
    lambda count: st.tuples(
        *(st.lists(strategy, min_size=count, max_size=count)
          for strategy in (st.integers(1, 200), st.sampled_from([1, 2, 4, 8, 16]), st.floats(0.5, 300)))
    )
)  # fmt: skip


@given(axes)
def test_patches_shrink_by_whole_strides_one_axis_at_a_time(given) -> None:
    patch, stride, extent = given
    every = list(shrinking(patch, stride=stride, extent=extent, least=stride))
    assert every[0] == tuple(patch)
    for larger, smaller in pairwise(every):
        changed = [axis for axis in range(len(patch)) if larger[axis] != smaller[axis]]
        assert len(changed) == 1
        (axis,) = changed
        assert smaller[axis] % stride[axis] == 0 and 0 < larger[axis] - smaller[axis] <= stride[axis]
        ratios = [larger[one] / extent[one] for one in range(len(patch)) if larger[one] > stride[one]]
        assert larger[axis] / extent[axis] == max(ratios)
    assert all(side <= step for side, step in zip(every[-1], stride, strict=True)), "down to one stride"


@given(axes, st.integers(1, 300_000))
def test_the_first_that_fits_is_taken(given, voxels) -> None:
    patch, stride, extent = given
    found = fitting(patch, lambda one: prod(one) <= voxels, stride=stride, extent=extent)
    every = list(shrinking(patch, stride=stride, extent=extent, least=stride))
    fit = [one for one in every if prod(one) <= voxels]
    assert found == (fit[0] if fit else None)


def test_the_axis_that_exceeds_the_objects_most_gives_way_first() -> None:
    every = list(shrinking((128, 128, 32), stride=(16, 16, 4), extent=(40, 80, 10), least=(64, 64, 16)))
    assert every[:6] == [
        (128, 128, 32),
        (112, 128, 32),
        (112, 128, 32 - 4),
        (96, 128, 28),
        (96, 128, 24),
        (80, 128, 24),
    ]
    assert every[-1] == (64, 64, 16)


def test_a_patch_that_fits_stays_as_it_is_and_one_that_never_does_is_told() -> None:
    assert fitting((35, 51), lambda one: True, stride=(8, 8), extent=(20, 20)) == (35, 51)
    assert fitting((35, 51), lambda one: False, stride=(8, 8), extent=(20, 20)) is None
    assert fitting((35, 51), lambda one: one != (35, 51), stride=(8, 8), extent=(20, 20)) == (35, 48)


def test_what_must_hold_is_said() -> None:
    with pytest.raises(ValueError, match="`extent` must have one number above 0 for each of 2 axes"):
        fitting((8, 8), lambda one: True, stride=(1, 1), extent=(0, 1))
    with pytest.raises(ValueError, match="`least`"):
        fitting((8, 8), lambda one: True, stride=(1, 1), extent=(1, 1), least=(1,))


def test_it_needs_no_torch() -> None:
    code = "import sys, fieldcraft.anatomy.patch_fit; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
