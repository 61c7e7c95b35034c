from math import exp

import numpy as np
import pytest
import torch

from fieldcraft.data.augment import Augmenter, turned
from fieldcraft.data.colour import LUMINANCE, Look, blurred, coloured, planned_look
from fieldcraft.data.pixel_store import Normaliser
from fieldcraft.data.trivial import trivially
from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Augment
from fieldcraft.records.deep_facts import BLUR, BRIGHTNESS, CONTRAST

DEVIATION = torch.tensor(50.0)


def images(count: int = 6, height: int = 8, width: int = 8, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, height, width, channels, generator=torch.Generator().manual_seed(1)) * 255


def test_brightness_and_contrast_are_the_slow_ones() -> None:
    before = images()
    shift, factor = torch.linspace(-1, 1, 6), torch.linspace(0.5, 1.5, 6)
    after = coloured(before, Look(brightness=shift, contrast=factor), DEVIATION)
    for one, now, add, times in zip(before, after, shift, factor, strict=True):
        slow = one.mean() + (one - one.mean()) * times + add * DEVIATION
        torch.testing.assert_close(now, slow, atol=1e-3, rtol=1e-5)


def test_gray_keeps_the_luminance_and_leaves_the_others_alone() -> None:
    before = images()
    after = coloured(before, Look(gray=torch.tensor([1.0, 0, 0.5, 0, 0, 0])), DEVIATION)
    luminance = (before * torch.tensor(LUMINANCE)).sum(-1)
    torch.testing.assert_close(after[0], luminance[0, ..., None].expand(8, 8, 3))
    torch.testing.assert_close((after * torch.tensor(LUMINANCE)).sum(-1), luminance)
    assert torch.equal(after[3:], before[3:])


def test_blur_is_the_slow_gaussian() -> None:
    before = images(2, 7, 9, 1)
    deviation = torch.tensor([0.3, 0.6])
    after = blurred(before, deviation)
    reach = 1
    for one, now, wide in zip(before, after, deviation.tolist(), strict=True):
        taps = np.array([exp(-(k**2) / (2 * wide**2)) for k in range(-reach, reach + 1)])
        taps /= taps.sum()
        padded = np.pad(one[..., 0].numpy(), reach, mode="edge")
        slow = sum(
            taps[a] * taps[b] * padded[a : a + 7, b : b + 9] for a in range(2 * reach + 1) for b in range(2 * reach + 1)
        )
        np.testing.assert_allclose(now[..., 0].numpy(), slow, rtol=1e-5)


def test_a_plan_without_looks_asks_for_nothing() -> None:
    assert planned_look(Augment(crop_px=2), torch.rand(4, 5)).nothing


def test_every_share_of_samples_is_blurred_by_a_third_of_the_most_or_more() -> None:
    draws = torch.rand(4, 20_000, generator=torch.Generator().manual_seed(2))
    look = planned_look(Augment(blur=0.25, gray=0.1), draws)
    assert look.blur is not None and look.gray is not None
    on = look.blur[look.blur > 0]
    assert len(on) / 20_000 == pytest.approx(0.25, abs=0.02)
    assert on.min() >= BLUR / 3 and on.max() <= BLUR
    assert look.gray.mean().item() == pytest.approx(0.1, abs=0.02)


def test_quarter_turns_are_numpys_and_equally_likely() -> None:
    before = images(4)
    after = turned(before, torch.tensor([0.1, 0.3, 0.6, 0.9]))
    ways = [
        next(k for k in range(4) if np.array_equal(now, np.rot90(one, k)))
        for one, now in zip(before, after, strict=True)
    ]
    assert sorted(ways) == [0, 1, 2, 3]


def test_quarter_turns_want_square_images() -> None:
    with pytest.raises(PlanError, match="square"):
        turned(images(2, 4, 6), torch.rand(2))


def normaliser() -> Normaliser:
    return Normaliser.of([100.0] * 3, [50.0] * 3, (8, 8, 3), device=torch.device("cpu"), channels_last=False)


def asked(augment: Augment, side: int | None = None) -> torch.Tensor:
    stored = images().to(torch.uint8)
    return Augmenter(augment)(stored, torch.arange(6), normaliser(), seed=3, name="a", step=5, side=side)


def test_one_change_more_moves_no_other() -> None:
    plain, bright = asked(Augment(crop_px=2)), asked(Augment(crop_px=2, brightness=0.5))
    shift = bright - plain
    assert torch.allclose(shift, shift.mean(dim=(1, 2, 3), keepdim=True).expand_as(shift), atol=1e-5)
    assert shift.abs().amax() <= 0.5 + 1e-5


def test_smaller_images_are_those_of_the_whole_size_resized() -> None:
    whole, small = asked(Augment(crop_px=1)), asked(Augment(crop_px=1), side=4)
    assert small.shape == (6, 3, 4, 4)
    expected = torch.nn.functional.interpolate(whole, size=(4, 4), mode="bilinear", antialias=True)
    assert (small - expected).abs().max() <= 1.5 / 50  # rounded to bytes, once along each side


@pytest.mark.parametrize("change", ["translation", "rotation", "scale", "brightness", "contrast", "gray", "blur"])
def test_trivial_draws_only_what_is_allowed(change: str) -> None:
    before = images(200, 32, 32)
    draws = torch.rand(3, 200, generator=torch.Generator().manual_seed(4))
    after = trivially(before, (change,), draws, DEVIATION)  # type: ignore[arg-type]
    moved = (after - before).abs().amax(dim=(1, 2, 3)) > 0
    assert torch.equal(moved, draws[0] < 0.5)
    if change == "brightness":
        step = (after - before)[moved].mean(dim=(1, 2, 3))
        assert step.abs().max() <= BRIGHTNESS * 50 + 1e-3
        torch.testing.assert_close(step, BRIGHTNESS * 50 * (2 * draws[1][moved] - 1), atol=1e-3, rtol=1e-4)
    if change == "contrast":
        ratio = after[moved].std(dim=(1, 2, 3)) / before[moved].std(dim=(1, 2, 3))
        torch.testing.assert_close(ratio, 1 + CONTRAST * (2 * draws[1][moved] - 1), atol=1e-3, rtol=1e-4)


def test_one_share_of_the_draws_changes_nothing() -> None:
    before = images(300, 12, 12)
    draws = torch.rand(3, 300, generator=torch.Generator().manual_seed(6))
    after = trivially(before, ("gray", "brightness"), draws, DEVIATION)
    untouched = (after == before).flatten(1).all(1)
    assert torch.equal(untouched, (draws[0] * 3).long() == 2)
