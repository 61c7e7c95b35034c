import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from fieldcraft.data.patches.changes import Look
from fieldcraft.data.patches.look import ORDER, blurs, changed, coarsenings, with_gamma

SIDES = [(30,), (16, 20), (10, 12, 9)]


def images(sides: tuple[int, ...], count: int = 5, channels: int = 2) -> Tensor:
    return torch.randn(count, channels, *sides, generator=torch.Generator().manual_seed(1))


def look(given: Tensor, **strengths: float) -> Tensor:
    return changed(given, Look(**strengths), (1.0,) * (given.ndim - 2), seed=0, name="n", step=3)


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("change", ORDER)
def test_no_strength_and_no_share_are_the_identity(sides, change) -> None:
    before = images(sides)
    assert look(before, share=1.0) is before
    assert look(before, share=0.0, **{change: 0.5}) is before
    torch.testing.assert_close(look(before, share=1.0, **{change: 1e-7}), before, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("change", ORDER)
def test_a_share_of_the_patches_changes_and_the_others_keep_every_bit(sides, change) -> None:
    before = images(sides, count=40)
    after = look(before, share=0.5, **{change: 0.8})
    same = [torch.equal(one, other) for one, other in zip(before, after, strict=True)]
    assert 8 <= sum(same) <= 32
    assert after.is_contiguous() and after.isfinite().all()


def test_brightness_and_contrast_are_within_bounds_and_differ_by_channel() -> None:
    before = images((16, 20), count=200)
    shift = (look(before, share=1.0, brightness=0.5) - before).flatten(2)
    assert torch.allclose(shift.amax(2), shift.amin(2), atol=1e-5)
    shift = shift.mean(2)
    assert -0.5 <= shift.min() < -0.45 and 0.45 < shift.max() <= 0.5
    assert (shift[:, 0] - shift[:, 1]).abs().mean() > 0.2
    factor = look(before, share=1.0, contrast=0.3).std((2, 3)) / before.std((2, 3))
    assert 0.6999 <= factor.min() < 0.75 and 1.25 < factor.max() <= 1.3001


def test_noise_has_the_deviation_that_was_drawn() -> None:
    before = images((40, 40), count=200, channels=1)
    deviation = (look(before, share=1.0, noise=0.4) - before).std((1, 2, 3))
    assert deviation.max() <= 0.42 and deviation.min() < 0.05 and abs(deviation.mean() - 0.2) < 0.03


def test_a_blur_is_scipys_away_from_the_border() -> None:
    (one,) = images((41, 41), count=1, channels=1)
    kernel = blurs(torch.tensor([1.3]), 41)[0]
    fast = kernel @ one[0] @ kernel.T
    slow = gaussian_filter(one[0].double().numpy(), 1.3, truncate=8)
    np.testing.assert_allclose(fast[10:-10, 10:-10].numpy(), slow[10:-10, 10:-10], atol=1e-4)


@given(side=st.integers(1, 40), deviation=st.floats(0, 6), factor=st.floats(1, 8))
def test_blur_and_low_resolution_leave_flat_images_flat(side, deviation, factor) -> None:
    for matrices in (blurs(torch.tensor([deviation]), side), coarsenings(torch.tensor([factor]), side)):
        torch.testing.assert_close(matrices.sum(2), torch.ones(1, side), atol=1e-5, rtol=0)
        assert (matrices >= -1e-6).all()


def test_low_resolution_averages_cells_and_goes_back_between_their_middles() -> None:
    (matrix,) = coarsenings(torch.tensor([2.0]), 6)
    cells = (matrix @ torch.tensor([0.0, 2, 4, 6, 8, 10])).tolist()
    assert cells == pytest.approx([1, 2, 4, 6, 8, 9])  # 1, 5, 9 at 0.5, 2.5, 4.5
    assert torch.equal(coarsenings(torch.tensor([1.0]), 6)[0], torch.eye(6))


def test_thick_slices_are_neither_blurred_nor_coarsened_as_thin_ones_are() -> None:
    before = images((9, 16, 16), count=30, channels=1)
    strong = Look(low_resolution=2.0, share=1.0)
    after = changed(before, strong, (5.0, 1.0, 1.0), seed=0, name="n", step=0)
    alone = changed(before[:, :, :1], strong, (5.0, 1.0, 1.0), seed=0, name="n", step=0)
    torch.testing.assert_close(after[:, :, :1], alone, atol=1e-5, rtol=0)


def test_gamma_keeps_mean_deviation_and_order() -> None:
    before = images((16, 20))
    after = with_gamma(before, torch.full((5, 2, 1, 1), 1.4))
    for moment in (Tensor.mean, Tensor.std):
        torch.testing.assert_close(moment(after, dim=(2, 3)), moment(before, dim=(2, 3)), atol=1e-4, rtol=0)
    assert torch.equal(before.flatten(2).argsort(2), after.flatten(2).argsort(2))
    flat = torch.full((1, 1, 4, 4), 3.0)
    assert torch.equal(with_gamma(flat, torch.full((1, 1, 1, 1), 2.0)), flat)


def test_draws_are_those_of_their_step_and_of_nothing_else() -> None:
    before = images((16, 20))
    alone = look(before, share=1.0, brightness=0.5) - before
    both = look(before, share=1.0, brightness=0.5, noise=1e-9) - before
    torch.testing.assert_close(alone, both, atol=1e-5, rtol=0)
    later = changed(before, Look(share=1.0, gamma=0.5), (1.0, 1.0), seed=0, name="n", step=4)
    assert not torch.equal(look(before, share=1.0, gamma=0.5), later)


def test_strengths_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="0 <= contrast <= 1"):
        Look(contrast=1.5)
    with pytest.raises(ValueError, match="0 <= noise"):
        Look(noise=-1)
