"""Whole cases from windows that overlap, however large the case: what is finished is given away before the rest begins.

Along each axis the weights of all windows at a voxel sum to 1, and the weight of a window is the product over axes; so
nothing is counted and nothing divided, and a single window gives exactly what the network says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from math import ceil, prod
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fieldcraft.data.intensities import Scaling
from fieldcraft.data.patches.cut import Padding, cut

Answer = Callable[[Tensor], Tensor]
"""From float32 (n, channels, *window + 2 context), on the CPU, to (n, outputs, *window), wherever it was computed."""
SHARPNESS = 1 / 8
"""Deviation of the Gaussian, as a share of the window's side (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z)."""
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How a case is covered."""

    patch: tuple[int, ...]
    """What the network answers for at once, in voxels along each axis."""
    overlap: float = 0.5
    """Share of a window that the next one sees again, at least."""
    blend: Literal["gaussian", "constant"] = "gaussian"
    """Whether the middle of a window counts for more, since its border was judged with less context."""
    mirror: tuple[int, ...] = ()
    """Axes along which windows are mirrored, in all combinations; answers are averaged. 2 ** axes times the cost."""
    context: tuple[int, ...] = ()
    """By how many voxels the network looks beyond its answer on each side; empty: not at all."""
    multiple: tuple[int, ...] = ()
    """Along axes on which the case is smaller than the patch, windows shrink to the case, rounded up to a multiple of
    this. Empty: they never shrink, as in training, and the case lies in their middle."""
    padding: Padding = "constant"
    """What the network sees beyond the case: as in training."""
    at_once: int = 1
    """Windows that pass through the network together."""

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1 or self.at_once < 1 or min(self.patch) < 1:
            raise ValueError(
                "`0 <= overlap < 1`, `at_once >= 1` and sides of at least 1 must hold, but got "
                f"{self.overlap}, {self.at_once} and {self.patch}."
            )

    def over(self, shape: Sequence[int]) -> "Cover":
        """Where windows lie on a case of this shape. Raises: ValueError when numbers of axes differ."""
        if len(shape) != len(self.patch):
            raise ValueError(f"a case of shape {tuple(shape)} cannot be covered with windows of {self.patch}.")
        sides = tuple(
            side if side <= length or not self.multiple else min(side, ceil(length / step) * step)
            for side, length, step in zip(self.patch, shape, self.multiple or (1,) * len(shape), strict=True)
        )
        starts = tuple(starts_along(length, side, self.overlap) for length, side in zip(shape, sides, strict=True))
        return Cover(shape=tuple(shape), sides=sides, starts=starts)

    def whole(self, shape: Sequence[int]) -> "Windows":
        """One window for all of a case."""
        steps = self.multiple or (1,) * len(shape)
        return replace(self, patch=tuple(ceil(side / step) * step for side, step in zip(shape, steps, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Cover:
    """Windows on one case."""

    shape: tuple[int, ...]
    sides: tuple[int, ...]
    """Of a window."""
    starts: tuple[tuple[int, ...], ...]
    """Along each axis; windows lie at all combinations."""

    @property
    def along(self) -> int:
        """The axis along which a case is worked off: that with the most windows after each other."""
        return max(range(len(self.shape)), key=lambda axis: self.shape[axis] / self.sides[axis])

    @property
    def windows(self) -> int:
        """How many there are."""
        return prod(len(one) for one in self.starts)

    def corner(self, index: Sequence[int]) -> tuple[int, ...]:
        """The first voxel of a window."""
        return tuple(starts[one] for starts, one in zip(self.starts, index, strict=True))

    def buffer_mib(self, outputs: int) -> float:
        """Memory that unfinished answers take: a slab as thick as a window."""
        sides = [min(side, length) if axis == self.along else length
                 for axis, (side, length) in enumerate(zip(self.sides, self.shape, strict=True))]  # fmt: skip
        return 4 * outputs * prod(sides) / MIB


def starts_along(length: int, side: int, overlap: float) -> tuple[int, ...]:
    """Where windows begin along an axis: as few as there can be, evenly spaced, from border to border.

    A window larger than the axis begins before it, so that the case lies in its middle.
    """
    if side >= length:
        return (-((side - length) // 2),)
    count = ceil((length - side) / max(1.0, side * (1 - overlap))) + 1
    return tuple(round(index * (length - side) / (count - 1)) for index in range(count))


def weights_along(length: int, side: int, starts: Sequence[int], blend: str) -> Tensor:
    """What each window counts for at each of its voxels, float32 (windows, side).

    At every voxel of the axis the sum is 1. Voxels of a window beyond the case have weight 0.
    """
    far = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    own = torch.exp(-(far / (SHARPNESS * side)).square() / 2) if blend == "gaussian" else torch.ones_like(far)
    places = torch.tensor(starts)[:, None] + torch.arange(side)
    inside = (places >= 0) & (places < length)
    total = torch.zeros(length, dtype=torch.float64)
    spread = own.expand(len(starts), side)
    total.index_add_(0, places[inside], spread[inside])
    return torch.where(inside, spread / total[places.clamp(0, length - 1)], 0.0).float()


def slabs(
    answer: Answer, image: npt.NDArray[np.generic], windows: Windows, *, scaling: Scaling | None = None
) -> Iterator[tuple[slice, Tensor]]:
    """Finished parts of a case, one after the other along the axis `windows.over(shape).along`.

    Shape: image (channels, *spatial), in memory or mapped, as stored when `scaling` is given -> (which part of that
    axis, float32 (outputs, *part)), where `answer` computes; to be used before the next one is asked for. No more than
    `Cover.buffer_mib` twice, and one batch of windows, is held.
    Raises: ValueError when the network answers for another size than the windows'.
    """
    cover = windows.over(image.shape[1:])
    axis, shape = cover.along, cover.shape
    weights = [
        weights_along(length, side, own, windows.blend)
        for length, side, own in zip(shape, cover.sides, cover.starts, strict=True)
    ]
    starts, length = cover.starts[axis], shape[axis]
    first, buffer = 0, torch.zeros(0)
    for row, start in enumerate(starts):
        thick = min(length, start + cover.sides[axis]) - first
        grown = False
        for index, one in _answers(answer, image, windows, cover, row, scaling):
            if not grown:
                buffer, grown = _grown(buffer, one.new_zeros(_with(one.shape[:1], shape, axis, thick)), axis), True
                weights = [own.to(one) for own in weights]
            to, of = _overlap(index, cover, first)
            there, inside = buffer[(slice(None), *to)], one[(slice(None), *of)]
            if cover.windows == 1:
                there.copy_(inside)
            else:
                own = [weights[other][which] for other, which in enumerate(index)]
                there.addcmul_(inside, _product(own)[tuple(of)])
        done = starts[row + 1] if row + 1 < len(starts) else length
        yield slice(first, done), buffer.narrow(1 + axis, 0, done - first)
        buffer = buffer.narrow(1 + axis, done - first, thick - (done - first))
        first = done


def predicted(
    answer: Answer, image: npt.NDArray[np.generic], windows: Windows, *, scaling: Scaling | None = None
) -> Tensor:
    """Answers for a whole case, float32 (outputs, *spatial) on the CPU; see `slabs`."""
    axis = windows.over(image.shape[1:]).along
    found = [slab.float().cpu() for _, slab in slabs(answer, image, windows, scaling=scaling)]
    return found[0].clone() if len(found) == 1 else torch.cat(found, dim=1 + axis)


def predicted_classes(
    answer: Answer, image: npt.NDArray[np.generic], windows: Windows, *, scaling: Scaling | None = None
) -> npt.NDArray[np.int16]:
    """The class with the largest answer at each voxel, int16 (*spatial), for cases whose answers exceed memory."""
    axis = windows.over(image.shape[1:]).along
    found = np.empty(image.shape[1:], np.int16)
    for part, slab in slabs(answer, image, windows, scaling=scaling):
        found[(*(slice(None),) * axis, part)] = slab.argmax(0).to(torch.int16).cpu().numpy()
    return found


def _answers(
    answer: Answer,
    image: npt.NDArray[np.generic],
    windows: Windows,
    cover: Cover,
    row: int,
    scaling: Scaling | None,
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """What the network says about each window of one row: (which along each axis, (outputs, *sides))."""
    indices = [range(len(one)) if axis != cover.along else (row,) for axis, one in enumerate(cover.starts)]
    every = list(product(*indices))
    for place in range(0, len(every), windows.at_once):
        some = every[place : place + windows.at_once]
        given = torch.from_numpy(
            np.stack([_seen(image, cover.corner(index), cover, windows, scaling) for index in some])
        )
        answers = _mirrored(answer, given, windows.mirror)
        if answers.shape[2:] != cover.sides:
            raise ValueError(
                f"the network answers for {tuple(answers.shape[2:])} voxels of a window of {cover.sides} that came "
                f"as {tuple(given.shape[2:])}: `context` must be what its convolutions take off each side."
            )
        yield from zip(some, answers, strict=True)


def _seen(
    image: npt.NDArray[np.generic], corner: Sequence[int], cover: Cover, windows: Windows, scaling: Scaling | None
) -> npt.NDArray[np.float32]:
    """What the network sees for one window."""
    context = windows.context or (0,) * len(corner)
    start = [first - more for first, more in zip(corner, context, strict=True)]
    size = [side + 2 * more for side, more in zip(cover.sides, context, strict=True)]
    value = 0 if scaling is None else scaling.zero(image.ndim)
    box = cut(image, start, size, dtype=np.float32, padding=windows.padding, value=value)
    return box if scaling is None else scaling(box)


def _mirrored(answer: Answer, given: Tensor, axes: Sequence[int]) -> Tensor:
    """The mean answer over all combinations of mirrored axes."""
    every = list(chain.from_iterable(combinations(axes, count) for count in range(len(axes) + 1)))
    total = answer(given)
    for some in every[1:]:
        dims = [2 + axis for axis in some]
        total = total + answer(given.flip(dims)).flip(dims)
    return total / len(every) if len(every) > 1 else total


def _overlap(index: Sequence[int], cover: Cover, first: int) -> tuple[list[slice], list[slice]]:
    """Where a window's voxels go in the buffer, which begins at `first` of its axis; and which of them."""
    to, of = [], []
    for axis, (start, side, length) in enumerate(zip(cover.corner(index), cover.sides, cover.shape, strict=True)):
        begin, end = max(0, start), min(length, start + side)
        shift = first if axis == cover.along else 0
        to.append(slice(begin - shift, end - shift))
        of.append(slice(begin - start, end - start))
    return to, of


def _with(lead: Sequence[int], shape: Sequence[int], axis: int, thick: int) -> tuple[int, ...]:
    """The shape of a slab of a case."""
    return (*lead, *shape[:axis], thick, *shape[axis + 1 :])


def _grown(unfinished: Tensor, fresh: Tensor, axis: int) -> Tensor:
    """What is unfinished, at the beginning of a new slab of zeros."""
    if unfinished.numel():
        fresh.narrow(1 + axis, 0, unfinished.shape[1 + axis]).copy_(unfinished)
    return fresh


def _product(weights: Sequence[Tensor]) -> Tensor:
    """Weights along each axis, (side,) each, to those of a window's voxels, (*sides)."""
    found = weights[0]
    for own in weights[1:]:
        found = found[..., None] * own
    return found
