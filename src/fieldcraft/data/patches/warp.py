"""Image and mask mirrored, turned, scaled and deformed together: linear between voxels, masks by the nearest."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor

from fieldcraft.data.patches.changes import Shape
from fieldcraft.data.patches.spline import displacements, knot_counts
from fieldcraft.data.sent import sent
from fieldcraft.records.streams import stream_seed

DRAWS = 21
"""Uniform numbers a sample, always as many, so that leaving one change out moves no other: three each for flips,
quarter turns, angles, slants and stretches, one for scale, three for whether, two in reserve."""
ROUNDING = 1e-3
"""Voxels by which places may miss the border for no reason but arithmetic."""


@dataclass(frozen=True, eq=False)
class Moves:
    """What was drawn for the n patches of one step."""

    flips: tuple[tuple[int, ...], ...]
    """Axes along which each patch is mirrored."""
    quarters: tuple[tuple[int, ...], ...]
    """By how many quarters each patch is turned about each axis."""
    some: Tensor
    """Which patches are sampled between voxels, int64 (w,), on the CPU."""
    places: Tensor
    """Where their voxels come from, in voxels from the patch's centre: float32 (w, *patch, d)."""

    far: tuple[float, ...]
    """How far from the centre they lie along each axis, at most; known without asking the device."""

    def margin(self, patch: Sequence[int]) -> tuple[int, ...]:
        """By how many voxels the changed patches look beyond each side of where they lie, at most."""
        if not len(self.some):
            return (0,) * len(patch)
        return tuple(max(0, ceil(one - (side - 1) / 2 - ROUNDING)) for one, side in zip(self.far, patch, strict=True))


def draw_moves(
    shape: Shape,
    count: int,
    patch: Sequence[int],
    spacing: Sequence[float],
    *,
    seed: int,
    name: str,
    step: int,
    device: torch.device | None = None,
) -> Moves:
    """Draw how `count` patches move, from the streams (seed, "augment", name, step) and (..., name/elastic, step).

    Turning, slanting and scaling happen in millimetres. The same on every device, but for rounding.
    Raises: ValueError when quarter turns are asked for in planes whose sides differ.
    """
    spatial = len(patch)
    numbers = torch.rand(count, DRAWS, generator=_generator(seed, name, step))
    flips, quarters, angles, slants, stretches = numbers[:, :15].view(count, 5, 3).unbind(1)
    flipped = tuple(tuple(axis for axis in shape.flip if row[axis] < 0.5) for row in flips.tolist())
    turns = (quarters * 4).long()
    turns[:, [axis for axis in range(3) if axis not in shape.quarter_turns]] = 0
    _check_turns(shape, patch)
    if not shape.samples_between:
        return Moves(flipped, tuple(map(tuple, turns.tolist())), torch.zeros(0, dtype=torch.int64), torch.zeros(0), ())
    turned, scaled, bent = (numbers[:, 16:19] < shape.share).unbind(1)
    turned = turned & bool(shape.turn_about and (shape.rotate_deg or shape.shear))
    scaled = scaled & bool(shape.scale or shape.stretch)
    bent = bent & (shape.elastic > 0)
    some = (turned | scaled | bent).nonzero()[:, 0]
    if not len(some):
        return Moves(flipped, tuple(map(tuple, turns.tolist())), some, torch.zeros(0), ())
    planes = turned[some, None] * _planes(shape, spatial)
    larger = 1 + scaled[some, None] * shape.scale * _both(numbers[some, 15:16])
    larger = larger * (1 + scaled[some, None] * shape.stretch * _both(stretches[some, :spatial]))
    matrices = linear_maps(
        planes * _both(angles[some]) * (shape.rotate_deg * torch.pi / 180),
        planes * _both(slants[some]) * shape.shear,
        larger,
        spacing,
    )
    # Every corner of a patch is looked at, so that this is exact where nothing bends.
    far = matrices.abs() @ ((torch.tensor(patch) - 1) / 2)
    places = torch.einsum("nij,...j->n...i", sent(matrices, device), centred(patch, device))
    if bool(bent.any()):
        least = min(spacing)
        distances = [shape.knots * least / one for one in spacing]
        counts = knot_counts(patch, distances)
        knots = torch.rand(count, spatial, *counts, generator=_generator(seed, f"{name}/elastic", step))
        reach = torch.tensor([shape.elastic * least / one for one in spacing])
        reach = (bent[some, None] * reach).view(len(some), spatial, *(1,) * spatial)
        shifts = _both(knots[some]) * reach
        far = far + shifts.abs().flatten(2).amax(2)
        places = places + displacements(sent(shifts, device), patch, distances).movedim(1, -1)
    return Moves(flipped, tuple(map(tuple, turns.tolist())), some, places, tuple(far.amax(0).tolist()))


def linear_maps(angles: Tensor, slants: Tensor, larger: Tensor, spacing: Sequence[float]) -> Tensor:
    """From places in the result to places in the source, both in voxels from the centre.

    Shape: angles in radians and tangents of slants, (n, 3) about axes 0, 1, 2 (pictures: the first alone), factors of
    size (n, d) -> float32 (n, d, d). The source is scaled, slanted, then turned, in millimetres.
    """
    spatial = len(spacing)
    count = len(larger)
    found = torch.diag_embed(1 / larger)
    for about, (one, other) in enumerate(_pairs(spatial)):
        slant = torch.eye(spatial).repeat(count, 1, 1)
        slant[:, one, other] = slants[:, about]
        turn = torch.eye(spatial).repeat(count, 1, 1)
        turn[:, one, one] = turn[:, other, other] = angles[:, about].cos()
        turn[:, one, other] = -angles[:, about].sin()
        turn[:, other, one] = angles[:, about].sin()
        found = found @ slant @ turn
    units = torch.tensor(spacing, dtype=torch.float32)
    return found * units / units[:, None]


def centred(sides: Sequence[int], device: torch.device | None = None) -> Tensor:
    """Places of voxels from the middle of a box, float32 (*sides, d)."""
    axes = [torch.arange(side, device=device, dtype=torch.float32) - (side - 1) / 2 for side in sides]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)


def sampled(images: Tensor, places: Tensor, *, nearest: bool = False) -> Tensor:
    """Images at places that are given in voxels from their middle; 0 beyond the border.

    Shape: float32 (n, c, *sides), (n, *patch, d) -> (n, c, *patch); one to three axes.
    """
    spatial = places.shape[-1]
    halves = sent(torch.tensor([max(side - 1, 1) / 2 for side in images.shape[2:]]), places.device)
    grid = (places / halves).flip(-1)
    if spatial == 1:
        images, grid = images[:, :, None], F.pad(grid, (0, 1))[:, None]
    mode = "nearest" if nearest else "bilinear"
    found = F.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=True)
    return found[:, :, 0] if spatial == 1 else found


def moved(images: Tensor, masks: Tensor, moves: Moves, patch: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Boxes of images and masks, with or without a margin, to patches that moved as drawn.

    Shape: float32 (n, c, *box), int64 (n, *box) with a box of the patch and as many voxels more on each side as there
    is margin -> (n, c, *patch), (n, *patch). Beyond the box images are 0 and masks void (-1).
    """
    middle = centre(images, patch), centre(masks, patch)
    if len(moves.some):
        some = sent(moves.some, images.device)
        image = sampled(images[some], moves.places)
        void_is_zero = (masks[some] + 1)[:, None].to(images.dtype)
        mask = sampled(void_is_zero, moves.places, nearest=True)[:, 0].round().to(masks.dtype) - 1
        middle = middle[0].index_copy(0, some, image), middle[1].index_copy(0, some, mask)
    if not any(moves.flips) and not any(map(any, moves.quarters)):
        return middle
    return _mirrored(middle[0], moves, len(patch)), _mirrored(middle[1], moves, len(patch))


def centre(boxes: Tensor, patch: Sequence[int]) -> Tensor:
    """The middle of boxes (n, ..., *box), of the patch's size; a view. Margins must be equal on both sides."""
    first = boxes.ndim - len(patch)
    for axis, side in enumerate(patch, start=first):
        if boxes.shape[axis] != side:
            boxes = boxes.narrow(axis, (boxes.shape[axis] - side) // 2, side)
    return boxes


def _mirrored(patches: Tensor, moves: Moves, spatial: int) -> Tensor:
    """Each patch of (n, ..., *patch) mirrored, then turned by its quarters."""
    first = patches.ndim - 1 - spatial
    done = []
    for patch, flips, quarters in zip(patches.unbind(), moves.flips, moves.quarters, strict=True):
        one = patch.flip([first + axis for axis in flips]) if flips else patch
        for times, plane in zip(quarters, _pairs(spatial), strict=False):
            one = one.rot90(times, [first + axis for axis in plane])
        done.append(one)
    return torch.stack(done)


def _pairs(spatial: int) -> list[tuple[int, int]]:
    """The planes to turn in: of volumes those about axes 0, 1, 2; of pictures the only one."""
    return list(combinations(range(spatial), 2))[::-1]


def _planes(shape: Shape, spatial: int) -> Tensor:
    """1 for each plane that may be turned in, float32 (3,)."""
    return torch.tensor([float(about in shape.turn_about and about < len(_pairs(spatial))) for about in range(3)])


def _both(numbers: Tensor) -> Tensor:
    """From [0, 1) to both directions."""
    return 2 * numbers - 1


def _generator(seed: int, name: str, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(stream_seed(seed, "augment", name, step))


def _check_turns(shape: Shape, patch: Sequence[int]) -> None:
    pairs = _pairs(len(patch))
    for about in shape.quarter_turns:
        if about >= len(pairs) or patch[pairs[about][0]] != patch[pairs[about][1]]:
            raise ValueError(
                f"quarter turns about axis {about} need a patch whose other two sides are equal, but it has "
                f"{tuple(patch)}."
            )
