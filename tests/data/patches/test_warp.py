from itertools import product
from math import cos, radians, sin

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates
from torch import Tensor

from fieldcraft.data.patches.changes import FOLDS_ABOVE, Shape
from fieldcraft.data.patches.spline import basis, displacements, knot_counts
from fieldcraft.data.patches.warp import Moves, centre, centred, draw_moves, linear_maps, moved, sampled

PATCHES = [(9,), (8, 11), (6, 7, 9)]
EVERYTHING = {
    "rotate_deg": 30.0, "shear": 0.1, "scale": 0.2, "stretch": 0.1, "elastic": 1.5, "knots": 4.0, "share": 1.0,
}  # fmt: skip


def boxes(count: int, sides: tuple[int, ...], channels: int = 2, classes: int = 3) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(5)
    images = torch.randn(count, channels, *sides, generator=random)
    return images, torch.randint(-1, classes, (count, *sides), generator=random)


def drawn(shape: Shape, patch: tuple[int, ...], count: int = 6, step: int = 0, spacing=None) -> Moves:
    return draw_moves(shape, count, patch, spacing or (1.0,) * len(patch), seed=0, name="n", step=step)


@pytest.mark.parametrize("patch", PATCHES)
def test_no_strength_is_the_identity(patch) -> None:
    everywhere = tuple(range(len(patch)))
    images, masks = boxes(6, patch)
    for shape in (Shape(share=1.0, turn_about=everywhere), Shape(share=0.0, turn_about=everywhere, rotate_deg=90)):
        moves = drawn(shape, patch)
        assert moves.margin(patch) == (0,) * len(patch)
        image, mask = moved(images, masks, moves, patch)
        assert torch.equal(image, images) and torch.equal(mask, masks)


@pytest.mark.parametrize("patch", PATCHES)
def test_sampling_where_voxels_are_gives_them_back(patch) -> None:
    images, _ = boxes(3, patch)
    places = centred(patch).expand(3, *patch, len(patch))
    torch.testing.assert_close(sampled(images, places), images, atol=1e-5, rtol=0)
    assert torch.equal(sampled(images, places, nearest=True), images)


@pytest.mark.parametrize("patch", PATCHES)
def test_flips_are_exact_and_only_along_allowed_axes(patch) -> None:
    images, masks = boxes(40, patch)
    seen = set()
    allowed = tuple({0, len(patch) - 1})
    moves = drawn(Shape(flip=allowed), patch, count=40)
    fast, mask = moved(images, masks, moves, patch)
    for index, axes in enumerate(moves.flips):
        seen.add(axes)
        assert torch.equal(fast[index], images[index].flip([1 + axis for axis in axes]))
        assert torch.equal(mask[index], masks[index].flip(list(axes)))
    assert seen == {(), (0,), (len(patch) - 1,), allowed}


def test_quarter_turns_are_exact_and_make_all_of_a_square() -> None:
    images, masks = boxes(64, (5, 5), channels=1)
    images = images[:1].expand(64, 1, 5, 5)
    masks = masks[:1].expand(64, 5, 5)
    moves = drawn(Shape(flip=(0,), quarter_turns=(0,)), (5, 5), count=64)
    fast, mask = moved(images, masks, moves, (5, 5))
    eight = {tuple(images[0, 0].flip([0] * flip).rot90(turn).reshape(-1).tolist()) for flip, turn in
             product((0, 1), range(4))}  # fmt: skip
    assert {tuple(one.reshape(-1).tolist()) for one in fast[:, 0]} == eight
    assert len({tuple(one.reshape(-1).tolist()) for one in mask}) == 8


def test_quarter_turns_in_a_volume_keep_to_their_axis() -> None:
    images, masks = boxes(30, (3, 4, 4), channels=1)
    fast, _ = moved(images, masks, drawn(Shape(quarter_turns=(0,)), (3, 4, 4), count=30), (3, 4, 4))
    for before, after in zip(images[:, 0], fast[:, 0], strict=True):
        assert any(torch.equal(before.rot90(turn, (1, 2)), after) for turn in range(4))
    with pytest.raises(ValueError, match="axis 1 need a patch whose other two sides are equal"):
        drawn(Shape(quarter_turns=(1,)), (3, 4, 4))


@pytest.mark.parametrize("patch", [(12,), (16, 13), (9, 12, 10)])
def test_image_and_mask_stay_aligned(patch) -> None:
    """A smooth mask, as an image, ends up where it ends up as a mask, but for interpolation at its rim."""
    shape = Shape(turn_about=(0, 1, 2)[: max(1, len(patch))], flip=(0,), **EVERYTHING)
    grid = centred(patch) / (torch.tensor(patch) / 2)
    masks = (grid.square().sum(-1) < 0.5).long().expand(8, *patch).contiguous()
    images = masks[:, None].float()
    image, mask = moved(images, masks, drawn(shape, patch, count=8), patch)
    inside, least = mask != -1, 0.5 ** len(patch) - 1e-3  # of linear weights, that of the nearest voxel is the largest
    assert (image[:, 0][mask == 1] >= least).all()
    assert (image[:, 0][mask == 0] <= 1 - least).all()
    near = (image[:, 0] - mask).abs()[inside] < 0.5
    assert near.float().mean() > 0.97
    assert (mask == 1).any() and (mask == 0).any()


@pytest.mark.parametrize("patch", PATCHES[1:])
def test_places_are_sampled_as_scipy_samples_them(patch) -> None:
    shape = Shape(turn_about=tuple(range(len(patch))), **EVERYTHING)
    moves = drawn(shape, patch, count=3)
    margin = moves.margin(patch)
    box = tuple(side + 2 * more for side, more in zip(patch, margin, strict=True))
    images, masks = boxes(3, box)
    image, mask = moved(images, masks, moves, patch)
    middle = (np.array(box) - 1) / 2
    for index, place in enumerate(moves.some.tolist()):
        at = np.moveaxis(moves.places[index].double().numpy() + middle, -1, 0)
        for channel in range(2):
            slow = map_coordinates(images[place, channel].double().numpy(), at, order=1)
            np.testing.assert_allclose(image[place, channel].numpy(), slow, atol=1e-3)
        slow = map_coordinates(masks[place].numpy(), at, order=0, mode="constant", cval=-1)
        assert (slow == mask[place].numpy()).mean() > 0.99  # ties between two neighbours may be broken either way


@pytest.mark.parametrize("patch", PATCHES)
def test_with_the_margin_nothing_lies_outside_and_with_less_something_does(patch) -> None:
    shape = Shape(turn_about=tuple(range(len(patch))), **EVERYTHING)
    moves = drawn(shape, patch, count=8)
    margin = moves.margin(patch)
    assert max(margin) > 0
    box = tuple(side + 2 * more for side, more in zip(patch, margin, strict=True))
    ones = torch.ones(8, 1, *box), torch.ones(8, *box, dtype=torch.int64)
    image, mask = moved(*ones, moves, patch)
    torch.testing.assert_close(image, torch.ones_like(image), atol=2e-3, rtol=0)
    assert (mask == 1).all()
    _, void = moved(torch.ones(8, 1, *patch), torch.ones(8, *patch, dtype=torch.int64), moves, patch)
    assert (void == -1).any() and set(void.unique().tolist()) == {-1, 1}


def test_turning_happens_in_millimetres() -> None:
    """A quarter turn of a picture whose pixels are twice as tall as wide."""
    spacing = (2.0, 1.0)
    quarter = linear_maps(torch.tensor([[torch.pi / 2, 0, 0]]), torch.zeros(1, 3), torch.ones(1, 2), spacing)[0]
    offset = torch.tensor([3.0, 0.0])  # 6 mm along the first axis
    torch.testing.assert_close(quarter @ offset, torch.tensor([0.0, 6.0]), atol=1e-5, rtol=0)


def test_maps_are_those_of_the_textbook() -> None:
    angle, tangent = 0.3, 0.2
    (found,) = linear_maps(torch.tensor([[angle, 0, 0]]), torch.tensor([[tangent, 0, 0]]),
                           torch.tensor([[1.25, 0.8]]), (1.0, 1.0))  # fmt: skip
    slant = np.array([[1, tangent], [0, 1]])
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    np.testing.assert_allclose(found.numpy(), np.diag([0.8, 1.25]) @ slant @ turn, atol=1e-6)


def test_only_allowed_axes_are_turned_about() -> None:
    moves = drawn(Shape(rotate_deg=40, turn_about=(0,), share=1.0), (5, 8, 8))
    torch.testing.assert_close(moves.places[..., 0], centred((5, 8, 8))[..., 0].expand(6, 5, 8, 8), atol=1e-5, rtol=0)
    assert moves.margin((5, 8, 8))[0] == 0
    angles = torch.atan2(moves.places[:, 2, 4, 7, 1], moves.places[:, 2, 4, 7, 2]).abs()
    assert angles.max() <= radians(40) + torch.atan2(torch.tensor(0.5), torch.tensor(3.5)) + 1e-4
    assert not drawn(Shape(rotate_deg=40, share=1.0), (5, 8, 8)).some.numel()


def test_turning_keeps_distances_and_scale_changes_them_within_bounds() -> None:
    turned = drawn(Shape(rotate_deg=180, turn_about=(0, 1, 2), share=1.0), (5, 6, 7), count=20)
    radius = centred((5, 6, 7)).norm(dim=-1)
    torch.testing.assert_close(turned.places.norm(dim=-1), radius.expand(20, 5, 6, 7), atol=1e-4, rtol=0)
    scaled = drawn(Shape(scale=0.25, share=1.0), (5, 6, 7), count=50)
    ratio = (scaled.places.norm(dim=-1) / radius).flatten(1)
    assert torch.allclose(ratio.amax(1), ratio.amin(1), atol=1e-4), "alike along all axes"
    assert 1 / 1.25 <= ratio.min() < 0.85 and 1.2 < ratio.max() <= 1 / 0.75


def test_the_share_is_that_of_each_change() -> None:
    shape = Shape(scale=0.2, share=0.3)
    count = sum(len(drawn(shape, (4, 4), count=100, step=step).some) for step in range(20))
    assert abs(count - 600) < 5 * (2000 * 0.3 * 0.7) ** 0.5


def test_steps_in_which_no_patch_is_moved_leave_all_as_they_are() -> None:
    shape, patch = Shape(rotate_deg=30.0, turn_about=(0, 1, 2), scale=0.2, elastic=1.5, share=0.05), (6, 7, 9)
    images, masks = boxes(2, patch)
    still = [moves for step in range(20) if not len((moves := drawn(shape, patch, count=2, step=step)).some)]
    assert still
    for moves in still:
        assert moves.margin(patch) == (0, 0, 0)
        image, mask = moved(images, masks, moves, patch)
        assert torch.equal(image, images) and torch.equal(mask, masks)


def test_leaving_one_change_out_moves_no_other() -> None:
    both = drawn(Shape(flip=(0, 1), scale=0.2, share=1.0), (6, 6))
    without = drawn(Shape(scale=0.2, share=1.0), (6, 6))
    assert torch.equal(both.places, without.places)
    assert both.flips == drawn(Shape(flip=(0, 1)), (6, 6)).flips
    assert drawn(Shape(flip=(1,)), (6, 6)).flips == tuple(tuple(a for a in one if a == 1) for one in both.flips)


@settings(max_examples=25)
@given(
    spatial=st.integers(1, 3), distance=st.floats(1.5, 9), seed=st.integers(0, 99), amount=st.floats(0.1, FOLDS_ABOVE)
)
def test_deformations_never_fold(spatial, distance, seed, amount) -> None:
    """Even when every knot moves as far as it may, in the worst of directions, volume elements stay positive."""
    sides, distances = (14, 12, 10)[:spatial], (distance,) * spatial
    random = torch.Generator().manual_seed(seed)
    knots = torch.randint(0, 2, (1, spatial, *knot_counts(sides, distances)), generator=random) * 2.0 - 1
    shift = displacements(knots * amount * distance, sides, distances)[0].double().numpy()
    places = np.moveaxis(centred(sides).double().numpy(), -1, 0) + shift
    for corner in product((0, 1), repeat=spatial):  # one-sided differences, both ways
        columns = []
        for axis in range(spatial):
            step = np.diff(places, axis=axis + 1)
            keep = [slice(None), *(slice(corner[other], sides[other] - 1 + corner[other]) if other != axis else
                                   slice(None) for other in range(spatial))]  # fmt: skip
            columns.append(step[tuple(keep)])
        determinant = np.linalg.det(np.moveaxis(np.stack(columns), (0, 1), (-1, -2)))
        assert determinant.min() > -1e-6


@given(side=st.integers(1, 40), distance=st.floats(1, 12))
def test_spline_weights_sum_to_one_and_reproduce_straight_lines(side, distance) -> None:
    (count,) = knot_counts((side,), (distance,))
    weights = basis(side, distance, count).double()
    torch.testing.assert_close(weights.sum(1), torch.ones(side, dtype=torch.float64), atol=1e-5, rtol=0)
    line = (torch.arange(count, dtype=torch.float64) - 1) * distance
    torch.testing.assert_close(weights @ line, torch.arange(side, dtype=torch.float64), atol=1e-3, rtol=1e-5)


def test_deformations_stay_within_their_bound_and_follow_the_spacing() -> None:
    moves = drawn(Shape(elastic=2.0, knots=5.0, share=1.0), (6, 16, 16), spacing=(4.0, 1.0, 1.0), count=20)
    shift = (moves.places - centred((6, 16, 16))).abs().flatten(0, 3).amax(0)
    assert 0.1 < shift[0] <= 0.5 and (shift[1:] <= 2).all() and (shift[1:] > 0.7).all()


def test_strengths_that_would_fold_or_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="fold over: 5 is too much"):
        Shape(elastic=5, knots=10)
    with pytest.raises(ValueError, match=r"0 <= scale <= 0\.99"):
        Shape(scale=1.0)


def test_the_centre_of_a_box_is_a_view() -> None:
    box = torch.arange(2 * 6 * 5).view(2, 6, 5)
    assert torch.equal(centre(box, (2, 5)), box[:, 2:4])
    assert centre(box, (6, 5)).data_ptr() == box.data_ptr()
