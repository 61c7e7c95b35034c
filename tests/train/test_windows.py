from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from monai.inferers import sliding_window_inference
from torch import Tensor, nn

from fieldcraft.data.intensities import Scaling
from fieldcraft.nn.networks.unet import UNet
from fieldcraft.train.windows import Windows, predicted, predicted_classes, slabs, starts_along, weights_along

BLENDS = ("gaussian", "constant")


def image(*sides: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (channels, *sides)).astype(np.float32)


def squares(given: Tensor) -> Tensor:
    """A network that looks at each voxel alone."""
    return torch.cat([given.square(), given.sum(1, keepdim=True)], 1)


def untranslated(given: Tensor) -> Tensor:
    """One whose answer depends on where in the window a voxel lies."""
    axes = torch.meshgrid(*(torch.arange(side) / side for side in given.shape[2:]), indexing="ij")
    return given[:, :1] * 0.1 + sum(axes)


@given(length=st.integers(1, 70), side=st.integers(1, 40), overlap=st.floats(0, 0.9))
def test_windows_reach_from_border_to_border_and_overlap_as_asked(length, side, overlap) -> None:
    starts = starts_along(length, side, overlap)
    if side >= length:
        assert starts == (-((side - length) // 2),)
        return
    assert starts[0] == 0 and starts[-1] == length - side
    steps = np.diff(starts)
    assert (steps > 0).all() and (steps <= max(1, np.ceil(side * (1 - overlap)))).all()
    assert steps.max() - steps.min() <= 1, "evenly spaced"


@given(length=st.integers(1, 60), side=st.integers(1, 30), overlap=st.floats(0, 0.8), blend=st.sampled_from(BLENDS))
def test_weights_sum_to_one_at_every_voxel(length, side, overlap, blend) -> None:
    starts = starts_along(length, side, overlap)
    weights = weights_along(length, side, starts, blend)
    total = torch.zeros(length + 2 * side, dtype=torch.float64)
    for start, own in zip(starts, weights, strict=True):
        total[side + start : 2 * side + start] += own
    torch.testing.assert_close(total[side : side + length], torch.ones(length, dtype=torch.float64), atol=1e-6, rtol=0)
    assert total[:side].abs().sum() == 0 and total[side + length :].abs().sum() == 0 and (weights >= 0).all()


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize(("sides", "patch"), [((41,), (9,)), ((20, 31), (8, 40)), ((13, 9, 22), (6, 12, 5))])
@pytest.mark.parametrize("at_once", [1, 4])
def test_a_network_that_looks_at_voxels_alone_says_the_same_in_windows(blend, sides, patch, at_once) -> None:
    case = image(*sides)
    found = predicted(squares, case, Windows(patch=patch, blend=blend, at_once=at_once))
    torch.testing.assert_close(found, squares(torch.from_numpy(case)[None])[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize(("sides", "patch"), [((41,), (9,)), ((20, 31), (8, 40)), ((13, 9, 22), (6, 12, 5))])
def test_blending_is_that_of_the_formula(blend, sides, patch) -> None:
    """Slowly: each window's answer times its weight, divided by the sum of all weights at the voxel."""
    case, windows = image(*sides), Windows(patch=patch, blend=blend, overlap=0.4)
    cover = windows.over(sides)
    kernel = torch.ones(patch, dtype=torch.float64)
    if blend == "gaussian":
        axes = torch.meshgrid(*(torch.arange(side) - (side - 1) / 2 for side in patch), indexing="ij")
        kernel = torch.exp(-sum(((axis * 8 / side) ** 2 for axis, side in zip(axes, patch, strict=True))) / 2).double()
    wide = [side + 2 * max(patch) for side in sides]
    padded = np.zeros((2, *wide), np.float32)
    padded[(slice(None), *(slice(max(patch), max(patch) + side) for side in sides))] = case
    total, weight = torch.zeros(wide, dtype=torch.float64), torch.zeros(wide, dtype=torch.float64)
    for corner in product(*cover.starts):
        box = tuple(slice(max(patch) + first, max(patch) + first + side) for first, side in
                    zip(corner, patch, strict=True))  # fmt: skip
        total[box] += kernel * untranslated(torch.from_numpy(padded[(slice(None), *box)])[None])[0, 0]
        weight[box] += kernel
    inside = tuple(slice(max(patch), max(patch) + side) for side in sides)
    found = predicted(untranslated, case, windows)[0].double()
    torch.testing.assert_close(found, (total / weight)[inside], atol=1e-5, rtol=0)


def test_a_single_window_is_exactly_what_the_network_says() -> None:
    torch.manual_seed(0)
    net = UNet(2, 3, spatial=3, widths=(4, 8)).eval()
    case = image(11, 12, 9)
    with torch.no_grad():
        whole = net(torch.from_numpy(case)[None])[0]
        for windows in (Windows(patch=(11, 12, 9)), Windows(patch=(4, 4, 4)).whole((11, 12, 9)),
                        Windows(patch=(64, 64, 64), multiple=(1, 1, 1), mirror=())):  # fmt: skip
            assert torch.equal(predicted(net, case, windows), whole)


def test_windows_shrink_to_small_cases_only_when_told() -> None:
    seen = []

    def answer(given: Tensor) -> Tensor:
        seen.append(tuple(given.shape[2:]))
        return given

    for multiple in ((), (4, 4)):
        found = predicted(answer, image(10, 30), Windows(patch=(16, 16), multiple=multiple))
        torch.testing.assert_close(found, torch.from_numpy(image(10, 30)), atol=1e-6, rtol=0)
    assert set(seen) == {(16, 16), (12, 16)}
    assert Windows(patch=(8, 8), multiple=(4, 4)).whole((10, 30)).patch == (12, 32)


@pytest.mark.parametrize("padding", ["constant", "edge", "reflect"])
def test_valid_convolutions_answer_for_the_whole_case(padding) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 5), nn.Tanh(), nn.Conv2d(4, 3, 3))
    case = image(20, 17)
    windows = Windows(patch=(6, 7), context=(3, 3), padding=padding)
    modes = {"constant": "constant", "edge": "replicate", "reflect": "reflect"}
    with torch.no_grad():
        found = predicted(net, case, windows)
        whole = net(F.pad(torch.from_numpy(case)[None], (3,) * 4, mode=modes[padding]))[0]
        torch.testing.assert_close(found, whole, atol=1e-5, rtol=0)
        with pytest.raises(
            ValueError, match=r"answers for \(2, 3\) voxels of a window of \(6, 7\) that came as \(8, 9\)"
        ):
            predicted(net, case, Windows(patch=(6, 7), context=(1, 1)))


def test_mirroring_averages_over_all_combinations_of_allowed_axes() -> None:
    case, given = image(6, 5), torch.from_numpy(image(6, 5))[None]
    for axes in ((), (0,), (1,), (0, 1)):
        found = predicted(untranslated, case, Windows(patch=(6, 5), mirror=axes))
        combinations = [()] + [one for one in ([2], [3], [2, 3]) if all(axis - 2 in axes for axis in one)]
        slow = sum(untranslated(given.flip(list(one))).flip(list(one)) for one in combinations) / len(combinations)
        torch.testing.assert_close(found, slow[0], atol=1e-6, rtol=0)


def test_a_mirrored_network_gives_mirrored_masks() -> None:
    torch.manual_seed(0)
    net = UNet(2, 3, spatial=2, widths=(4, 8)).eval()
    case = image(16, 12)
    windows = Windows(patch=(8, 8), mirror=(0, 1))
    with torch.no_grad():
        found, other = predicted(net, case, windows), predicted(net, case[:, ::-1].copy(), windows)
    torch.testing.assert_close(found.flip(1), other, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("sides", "along"), [((60, 11, 12), 0), ((11, 60, 12), 1), ((12, 11, 60), 2)])
def test_slabs_follow_the_longest_axis_and_hold_no_more_than_was_said(sides, along) -> None:
    windows = Windows(patch=(8, 8, 8))
    cover = windows.over(sides)
    assert cover.along == along
    whole = predicted(squares, image(*sides), windows)
    ends = 0
    for part, slab in slabs(squares, image(*sides), windows):
        assert part.start == ends
        ends = part.stop
        assert torch.equal(slab, whole.narrow(1 + along, part.start, part.stop - part.start))
        storage = slab.untyped_storage().nbytes() / 2**20
        assert storage <= cover.buffer_mib(outputs=3) + 1e-9
    assert ends == 60
    assert np.array_equal(predicted_classes(squares, image(*sides), windows), whole.argmax(0).numpy())


def test_a_mapped_case_is_normalised_window_by_window(tmp_path: Path) -> None:
    raw = (image(30, 9, channels=1) * 100 + 900).astype(np.int16)
    np.save(tmp_path / "case.npy", raw)
    scaling = Scaling.of_case(raw)
    mapped = np.load(tmp_path / "case.npy", mmap_mode="r")
    windows = Windows(patch=(8, 12))
    found = predicted(squares, mapped, windows, scaling=scaling)
    plain = predicted(squares, scaling(raw.astype(np.float32)), windows)
    torch.testing.assert_close(found, plain, atol=1e-5, rtol=0)


def test_monai_says_the_same_where_its_windows_lie_at_the_same_places() -> None:
    """With equal weights; its Gaussian is cut off at a thousandth, which makes windows equal at borders of the case."""
    torch.manual_seed(0)
    net = UNet(1, 3, spatial=3, widths=(4, 8)).eval()
    case, windows = image(24, 16, 24, channels=1), Windows(patch=(16, 16, 16), blend="constant")
    assert windows.over((24, 16, 24)).starts == ((0, 8), (0,), (0, 8))
    with torch.no_grad():
        theirs = sliding_window_inference(torch.from_numpy(case)[None], (16, 16, 16), 2, net, overlap=0.5)[0]
        torch.testing.assert_close(predicted(net, case, windows), theirs, atol=1e-5, rtol=0)


def test_what_must_hold_is_said() -> None:
    with pytest.raises(ValueError, match="0 <= overlap < 1"):
        Windows(patch=(8, 8), overlap=1.0)
    with pytest.raises(ValueError, match=r"shape \(4, 4, 4\) cannot be covered with windows of \(8, 8\)"):
        predicted(squares, image(4, 4, 4), Windows(patch=(8, 8)))
