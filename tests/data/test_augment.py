from dataclasses import fields
from math import cos, radians, sin

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fieldcraft.data.augment import Augmenter, Draws, draw, erase_, reflected, shifted, warped, whole_shift
from fieldcraft.data.pixel_store import Normaliser
from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Augment

CPU = torch.device("cpu")


def images(count: int = 12, height: int = 7, width: int = 9, channels: int = 3) -> Tensor:
    random = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, height, width, channels), generator=random, dtype=torch.uint8)


def normaliser(stored: Tensor) -> Normaliser:
    _, height, width, channels = stored.shape
    return Normaliser.of([0.0] * channels, [1.0] * channels, (height, width, channels), device=CPU, channels_last=True)


def slowly(stored: Tensor, row: int, augment: Augment, draws: Draws, place: int) -> np.ndarray:
    """One sample, as one would write it with numpy: pad by reflection, cut out, turn round."""
    image, p = stored[row].numpy(), augment.crop_px
    height, width, _ = image.shape
    top = int(float(draws.shift_y[place]) * (2 * p + 1))
    left = int(float(draws.shift_x[place]) * (2 * p + 1))
    cut = np.pad(image, ((p, p), (p, p), (0, 0)), mode="reflect")[top : top + height, left : left + width]
    if augment.flip_vertical and draws.flip_vertical[place] < 0.5:
        cut = cut[::-1]
    if augment.flip_horizontal and draws.flip_horizontal[place] < 0.5:
        cut = cut[:, ::-1]
    return np.ascontiguousarray(cut)


@settings(deadline=None, max_examples=40)
@given(
    crop=st.integers(0, 20),
    horizontal=st.booleans(),
    vertical=st.booleans(),
    channels=st.sampled_from([1, 3]),
    width=st.integers(1, 9),
    seed=st.integers(0, 9),
)
def test_shifts_and_flips_are_the_slow_ones(crop, horizontal, vertical, channels, width, seed) -> None:
    augment = Augment(crop_px=crop, flip_horizontal=horizontal, flip_vertical=vertical)
    stored = images(width=width, channels=channels)
    rows = torch.tensor([5, 0, 11, 5, 2])
    draws = draw(5, seed, CPU)
    fast = shifted(stored, rows, augment, draws)
    for place, row in enumerate(rows.tolist()):
        assert np.array_equal(fast[place].numpy(), slowly(stored, row, augment, draws, place))


@settings(deadline=None, max_examples=25)
@given(crop=st.integers(0, 12), horizontal=st.booleans(), vertical=st.booleans(), seed=st.integers(0, 9))
def test_angle_zero_and_scale_one_are_the_plain_shifts_and_flips(crop, horizontal, vertical, seed) -> None:
    augment = Augment(crop_px=crop, flip_horizontal=horizontal, flip_vertical=vertical)
    stored, rows, draws = images(), torch.tensor([1, 4, 4]), draw(3, seed, CPU)
    expected = shifted(stored, rows, augment, draws).float()
    torch.testing.assert_close(warped(stored, rows, augment, draws), expected, atol=0.05, rtol=0)


def test_rotation_and_scale_are_the_slow_ones() -> None:
    augment = Augment(crop_px=2, flip_horizontal=True, flip_vertical=True, rotate_deg=35, scale=0.3)
    stored, rows = images(height=8, width=11, channels=2), torch.arange(12)
    draws = draw(12, 4, CPU)
    fast = warped(stored, rows, augment, draws)
    for place in range(12):
        slow = _rotated_slowly(stored[place].double().numpy(), augment, draws, place)
        np.testing.assert_allclose(fast[place].numpy(), slow, atol=0.1)


def _rotated_slowly(image: np.ndarray, augment: Augment, draws: Draws, place: int) -> np.ndarray:
    height, width, _ = image.shape
    angle = radians(augment.rotate_deg) * (2 * float(draws.angle[place]) - 1)
    larger = 1 + augment.scale * (2 * float(draws.scale[place]) - 1)
    dy = int(float(draws.shift_y[place]) * 5) - 2
    dx = int(float(draws.shift_x[place]) * 5) - 2
    result = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            u = (width - 1 - x if draws.flip_horizontal[place] < 0.5 else x) + dx - (width - 1) / 2
            v = (height - 1 - y if draws.flip_vertical[place] < 0.5 else y) + dy - (height - 1) / 2
            sx = (cos(angle) * u - sin(angle) * v) / larger + (width - 1) / 2
            sy = (sin(angle) * u + cos(angle) * v) / larger + (height - 1) / 2
            result[y, x] = _between_pixels(image, _thrown_back(sy, height), _thrown_back(sx, width))
    return result


def _thrown_back(place: float, size: int) -> float:
    while not 0 <= place <= size - 1:
        place = -place if place < 0 else 2 * (size - 1) - place
    return place


def _between_pixels(image: np.ndarray, y: float, x: float) -> np.ndarray:
    y0, x0 = int(y), int(x)
    y1, x1 = min(y0 + 1, image.shape[0] - 1), min(x0 + 1, image.shape[1] - 1)
    a, b = y - y0, x - x0
    upper = (1 - b) * image[y0, x0] + b * image[y0, x1]
    return (1 - a) * upper + a * ((1 - b) * image[y1, x0] + b * image[y1, x1])


@given(size=st.integers(1, 9), place=st.integers(-60, 60))
def test_places_beyond_the_end_are_thrown_back_as_numpy_does(size: int, place: int) -> None:
    line = np.pad(np.arange(size), 60, mode="reflect") if size > 1 else np.zeros(121, int)
    assert reflected(torch.tensor([place]), size).item() == line[60 + place]


@given(most=st.integers(0, 64), number=st.floats(0, 1, exclude_max=True, width=32))
def test_whole_shifts_reach_both_ends_and_no_further(most: int, number: float) -> None:
    assert -most <= whole_shift(torch.tensor([number]), most).item() <= most
    assert whole_shift(torch.tensor([0.0, 1 - 2**-24]), most).tolist() == [-most, most]


def test_flips_come_half_of_the_time_and_shifts_are_even() -> None:
    draws = draw(20_000, 1, CPU)
    assert 0.485 < (draws.flip_horizontal < 0.5).float().mean() < 0.515
    shares = torch.bincount(whole_shift(draws.shift_x, 2) + 2, minlength=5) / 20_000
    torch.testing.assert_close(shares, torch.full((5,), 0.2), atol=0.015, rtol=0)


def test_erased_rectangles() -> None:
    augment = Augment(erase=0.4, erase_area=0.25)
    batch = torch.ones(5000, 2, 16, 12).contiguous(memory_format=torch.channels_last)
    erase_(batch, augment, draw(5000, 7, CPU))
    gone = batch == 0
    assert torch.equal(gone[:, 0], gone[:, 1])
    area = gone[:, 0].sum((1, 2))
    assert 0.37 < (area > 0).float().mean() < 0.43
    assert area.max() <= 0.25 * 16 * 12
    tall, wide = gone[:, 0].any(2).sum(1), gone[:, 0].any(1).sum(1)
    assert torch.equal(tall * wide, area), "what is gone is one rectangle"
    assert gone[:, 0].any(0).all(), "every place is hit at some time"


def test_erasing_nothing_and_everything() -> None:
    draws = draw(50, 0, CPU)
    batch = torch.ones(50, 1, 5, 5)
    erase_(batch, Augment(erase=0.0), draws)
    assert batch.all()
    erase_(batch, Augment(erase=1.0), draws)
    assert (batch == 0).flatten(1).any(1).all()


def test_no_change_is_the_plain_normalised_image() -> None:
    stored = images()
    scale = Normaliser.of([10.0, 20.0, 30.0], [2.0, 4.0, 8.0], (7, 9, 3), device=CPU, channels_last=True)
    rows = torch.tensor([3, 1])
    batch = Augmenter(Augment())(stored, rows, scale, seed=0, name="a", step=0)
    slow = (stored[rows].double() - torch.tensor([10.0, 20.0, 30.0])) / torch.tensor([2.0, 4.0, 8.0])
    torch.testing.assert_close(batch, slow.permute(0, 3, 1, 2).float())
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_the_same_step_is_the_same_and_another_is_not() -> None:
    stored, rows = images(), torch.arange(12)
    augmenter = Augmenter(Augment(crop_px=2, flip_horizontal=True, rotate_deg=10, erase=0.5))

    def batch(seed: int = 0, name: str = "a", step: int = 0) -> Tensor:
        return augmenter(stored, rows, normaliser(stored), seed=seed, name=name, step=step)

    assert torch.equal(batch(), batch())
    for other in (batch(seed=1), batch(name="b"), batch(step=1)):
        assert not torch.equal(batch(), other)


def test_leaving_one_change_out_moves_no_other() -> None:
    stored, rows = images(), torch.arange(12)
    both = Augmenter(Augment(crop_px=2, flip_horizontal=True))
    one = Augmenter(Augment(crop_px=2))
    scale = normaliser(stored)
    flipped = draw_of(0).flip_horizontal < 0.5
    pair = [augmenter(stored, rows, scale, seed=0, name="a", step=0) for augmenter in (both, one)]
    assert torch.equal(pair[0][~flipped], pair[1][~flipped])


def draw_of(step: int) -> Draws:
    from fieldcraft.records.streams import stream_seed

    return draw(12, stream_seed(0, "augment", "a", step), CPU)


def test_draws_are_all_different() -> None:
    draws = draw(100, 5, CPU)
    columns = [getattr(draws, column.name) for column in fields(draws)]
    assert len({float(column[0]) for column in columns}) == len(columns)


def test_own_augmentations_get_the_batch_and_a_generator_of_their_step() -> None:
    def noise(batch: Tensor, generator: torch.Generator) -> Tensor:
        return batch + torch.rand(batch.shape, generator=generator)

    stored, rows = images(), torch.arange(4)
    augmenter = Augmenter(Augment(own=("mine:noise",)), (noise,))
    first, again, later = (
        augmenter(stored, rows, normaliser(stored), seed=0, name="a", step=step) for step in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, later)


@pytest.mark.parametrize("wrong", [lambda b, g: None, lambda b, g: b[:1], lambda b, g: b.double()])
def test_own_augmentations_that_break_the_batch_are_named(wrong) -> None:
    stored = images()
    augmenter = Augmenter(Augment(own=("mine:wrong",)), (wrong,))
    with pytest.raises(PlanError, match="mine:wrong must give back"):
        augmenter(stored, torch.arange(3), normaliser(stored), seed=0, name="a", step=0)
