"""Arithmetic of maps, without torch: sizes by axis, strides taken so far, what the deepest level sees."""

from collections.abc import Sequence
from itertools import accumulate

Size = int | Sequence[int]
"""One whole number for all spatial axes, or one for each in their order."""


def per_axis(size: Size, spatial: int, name: str = "a size") -> tuple[int, ...]:
    """The size along each of `spatial` axes.

    Raises: ValueError, with `name`, unless there are 1 to 3 axes, as many sizes, and none is below 1.
    """
    if not 1 <= spatial <= 3:
        raise ValueError(f"`spatial` must be 1, 2 or 3 axes, but got {spatial}.")
    sizes = (size,) * spatial if isinstance(size, int) else tuple(size)
    if len(sizes) != spatial or min(sizes) < 1:
        raise ValueError(f"{name} must be a whole number from 1, or {spatial} of them (one an axis), but got {size}.")
    return sizes


def total_strides(strides: Sequence[Size], spatial: int) -> tuple[tuple[int, ...], ...]:
    """Positions of the input between neighbours of each level, an axis each."""
    each = [per_axis(one, spatial, "a stride") for one in strides]
    return tuple(accumulate(each, lambda so_far, one: tuple(a * b for a, b in zip(so_far, one, strict=True))))


def level_sizes(size: Sequence[int], strides: Sequence[Size]) -> tuple[tuple[int, ...], ...]:
    """Sizes of the maps of all levels of a net whose strides round up, for an input of `size`."""
    return tuple(
        tuple(-(-length // step) for length, step in zip(size, total, strict=True))
        for total in total_strides(strides, len(size))
    )


def encoder_field(
    kernels: Sequence[Size],
    strides: Sequence[Size],
    convolutions: Sequence[int],
    spatial: int,
    *,
    pools: bool = False,
) -> tuple[int, ...]:
    """Positions of the input that one position of an encoder's deepest map sees, an axis each.

    One entry a level: its kernel, the stride that its first convolution takes (or, with `pools`, the max-pooling in
    front of it), and how many convolutions it has (of a level with residual blocks 1 + 2 blocks).
    """
    field, jump = [1] * spatial, [1] * spatial
    for kernel, stride, count in zip(kernels, strides, convolutions, strict=True):
        sizes, steps = per_axis(kernel, spatial, "a kernel"), per_axis(stride, spatial, "a stride")
        for axis in range(spatial):
            entry = jump[axis] * steps[axis] if pools else jump[axis]
            field[axis] += (steps[axis] - 1) * jump[axis] if pools else 0
            jump[axis] *= steps[axis]
            field[axis] += (sizes[axis] - 1) * (entry + (count - 1) * jump[axis])
    return tuple(field)
