from itertools import product
from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from torch.nn import functional as F

from fieldcraft.nn.distances import signed_distances, squared_distances
from fieldcraft.nn.losses.boundary import Boundary, boundary
from fieldcraft.nn.losses.focal import Focal, focal
from fieldcraft.nn.losses.modules import CrossEntropy
from fieldcraft.nn.losses.overlap import Dice, Tversky, dice, tversky
from fieldcraft.nn.losses.sums import DeepSupervision, Sum, halving, thinned

SIZES = {1: (11,), 2: (7, 6), 3: (4, 5, 3)}


def sample(spatial: int, *, classes: int = 3, void: float = 0.2, seed: int = 0):
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, classes, *SIZES[spatial], generator=random, dtype=torch.float64).requires_grad_()
    target = torch.randint(classes, (2, *SIZES[spatial]), generator=random)
    target[torch.rand(target.shape, generator=random) < void] = -1
    return logits, target


def tversky_slowly(logits, target, a, b, smooth, *, background, over_batch) -> float:
    """Position by position, as the definition says."""
    batch, classes = logits.shape[:2]
    sums = torch.zeros(batch, classes, 3, dtype=torch.float64)
    for n in range(batch):
        for place in product(*(range(size) for size in target.shape[1:])):
            truth = int(target[(n, *place)])
            if truth == -1:
                continue
            p = logits[(n, slice(None), *place)].exp()
            p = p / p.sum()
            for k in range(classes):
                t = float(k == truth)
                sums[n, k] += torch.stack([p[k] * t, p[k] * (1 - t), (1 - p[k]) * t]).detach()
    if over_batch:
        sums = sums.sum(0, keepdim=True)
    hit, fp, fn = sums.unbind(-1)
    index = (hit + smooth) / (hit + a * fp + b * fn + smooth)
    return 1 - float(index[:, 0 if background else 1 :].mean())


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("over_batch", [False, True])
def test_tversky_is_its_definition_and_void_counts_nowhere(spatial, background, over_batch) -> None:
    logits, target = sample(spatial)
    options = {"background": background, "over_batch": over_batch}
    slow = tversky_slowly(logits, target, 0.3, 0.7, 1e-3, **options)
    value = tversky(logits, target, false_positives=0.3, false_negatives=0.7, smooth=1e-3, **options)
    assert value.item() == pytest.approx(slow, rel=1e-12)
    assert value == Tversky(0.3, 0.7, smooth=1e-3, **options)(logits, target)
    (gradient,) = torch.autograd.grad(value, logits)
    assert (gradient.abs().sum(1) > 0).equal(target != -1)
    assert torch.autograd.gradcheck(lambda x: tversky(x, target, **options), (logits,))


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("over_batch", [False, True])
def test_dice_and_tversky_are_monais_to_the_last_digits(spatial, background, over_batch) -> None:
    monai = pytest.importorskip("monai.losses")
    logits, target = sample(spatial, void=0.0)
    options = {"include_background": background, "batch": over_batch, "softmax": True, "to_onehot_y": True}
    for smooth in (1e-5, 1.0):
        theirs = monai.DiceLoss(smooth_nr=smooth, smooth_dr=smooth, **options)(logits, target.unsqueeze(1))
        ours = Dice(background=background, over_batch=over_batch, smooth=smooth)(logits, target)
        torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
        for own, other in zip(*(torch.autograd.grad(one, logits) for one in (ours, theirs)), strict=True):
            torch.testing.assert_close(own, other, rtol=1e-11, atol=1e-14)
        theirs = monai.TverskyLoss(alpha=0.2, beta=0.8, smooth_nr=smooth, smooth_dr=smooth, **options)(
            logits, target.unsqueeze(1)
        )
        ours = tversky(
            logits, target, false_positives=0.2, false_negatives=0.8, background=background, over_batch=over_batch,
            smooth=smooth,
        )  # fmt: skip
        torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)


def test_the_sum_and_deep_supervision_are_monais_where_sizes_are_multiples() -> None:
    monai = pytest.importorskip("monai.losses")
    random = torch.Generator().manual_seed(0)
    target = torch.randint(3, (2, 8, 12), generator=random)
    levels = [torch.randn(2, 3, 8 // s, 12 // s, generator=random, dtype=torch.float64) for s in (1, 2, 4)]
    theirs = monai.DiceCELoss(include_background=False, softmax=True, to_onehot_y=True)
    ours = Sum([CrossEntropy(void=-1), Dice()])
    torch.testing.assert_close(ours(levels[0], target), theirs(levels[0], target.unsqueeze(1)))
    deep = DeepSupervision(ours, [1, 2, 4], [1.0, 0.5, 0.25])
    monais = monai.DeepSupervisionLoss(theirs, weight_mode="exp")(levels, target.unsqueeze(1).double())
    torch.testing.assert_close(deep(levels, target).float(), monais)  # theirs adds up in single precision


def test_dice_is_the_even_tversky_and_the_hard_dice_where_logits_are_sure() -> None:
    logits, target = sample(2)
    assert dice(logits, target, smooth=0.5) == tversky(logits, target, smooth=0.25)
    guess = torch.randint(3, target.shape, generator=torch.Generator().manual_seed(5))
    sure = 1e4 * F.one_hot(guess, 3).movedim(-1, 1).double()
    wanted = []
    for n, k in product(range(2), (1, 2)):
        known = target[n] != -1
        a, b = (guess[n] == k) & known, target[n] == k
        wanted.append(2 * float((a & b).sum()) / float(a.sum() + b.sum()))
    assert 1 - dice(sure, target, smooth=0).item() == pytest.approx(sum(wanted) / len(wanted))


def test_classes_that_are_absent_can_be_left_out() -> None:
    logits, target = sample(2, void=0)
    target[1][target[1] == 2] = 1
    parts = [dice(logits[n : n + 1, :], target[n : n + 1], absent="leave-out") for n in range(2)]
    whole = dice(logits, target, absent="leave-out")
    torch.testing.assert_close(whole, (2 * parts[0] + parts[1]) / 3)
    only_one = dice(logits[1:, :], torch.full_like(target[1:], 1), absent="leave-out")
    p = logits[1].softmax(0)[1]
    torch.testing.assert_close(only_one, 1 - (2 * p.sum() + 1e-5) / (p.sum() + p.numel() + 1e-5))
    nothing = dice(logits, torch.zeros_like(target), absent="leave-out")
    assert nothing.item() == 0 and torch.autograd.grad(nothing, logits)[0].abs().max() == 0


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_positions_is_its_formula_and_void_counts_nowhere(spatial, smoothing) -> None:
    logits, target = sample(spatial)
    weights = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    shift = torch.tensor([0.1, -0.3, 0.2], dtype=torch.float64)
    total, count = 0.0, 0
    for n in range(2):
        for place in product(*(range(size) for size in target.shape[1:])):
            truth = int(target[(n, *place)])
            if truth != -1:
                logs = (logits[(n, slice(None), *place)] + shift).log_softmax(0)
                shares = [(1 - smoothing) * (k == truth) + smoothing / 3 for k in range(3)]
                total -= sum((weights[k] * shares[k] * logs[k]).item() for k in range(3))
                count += 1
    loss = CrossEntropy(smoothing, weights, shift, void=-1)
    assert loss(logits, target).item() == pytest.approx(total / count, rel=1e-12)
    (gradient,) = torch.autograd.grad(loss(logits, target), logits)
    assert (gradient.abs().sum(1) > 0).equal(target != -1)
    assert loss(logits, torch.full_like(target, -1)).item() == 0


def test_without_void_cross_entropy_is_pytorchs() -> None:
    logits, target = sample(3, void=0)
    assert CrossEntropy(void=-1)(logits, target).item() == pytest.approx(F.cross_entropy(logits, target).item())


def test_half_precision_is_summed_in_single() -> None:
    logits = torch.zeros(1, 2, 400, 400, dtype=torch.float16)
    target = torch.ones(1, 400, 400, dtype=torch.int64)
    assert dice(logits, target).item() == pytest.approx(1 - 2 * 0.5 / 1.5)
    assert CrossEntropy(void=-1)(logits, target).item() == pytest.approx(log(2))
    assert focal(logits, target).item() == pytest.approx(0.25 * log(2))


@settings(deadline=None, max_examples=30)
@given(size=st.tuples(st.integers(1, 13), st.integers(1, 13)), stride=st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_targets_are_thinned_at_the_middle_of_each_block(size, stride) -> None:
    target = torch.arange(size[0] * size[1]).reshape(1, *size)
    rows = [min(i * stride[0] + stride[0] // 2, size[0] - 1) for i in range(-(-size[0] // stride[0]))]
    columns = [min(i * stride[1] + stride[1] // 2, size[1] - 1) for i in range(-(-size[1] // stride[1]))]
    assert thinned(target, stride)[0].tolist() == [[row * size[1] + column for column in columns] for row in rows]


def test_deep_supervision_halves_and_sums_are_sums() -> None:
    assert halving(3) == pytest.approx((4 / 7, 2 / 7, 1 / 7))
    loss = Sum([CrossEntropy(void=-1), Dice()], [1.0, 0.5])
    logits, target = sample(2)
    torch.testing.assert_close(
        loss(logits, target), CrossEntropy(void=-1)(logits, target) + 0.5 * Dice()(logits, target)
    )
    coarse = torch.randn(2, 3, 4, 6, dtype=torch.float64)
    deep = DeepSupervision(loss, [1, (2, 1)])
    expected = 2 / 3 * loss(logits, target) + loss(coarse, thinned(target, (2, 1))) / 3
    torch.testing.assert_close(deep((logits, coarse), target), expected)
    torch.testing.assert_close(deep(logits, target), loss(logits, target))
    with pytest.raises(ValueError, match="must have the size"):
        deep((logits, logits), target)
    with pytest.raises(ValueError, match="of 2 levels"):
        deep((logits,), target)


def test_what_does_not_fit_is_refused() -> None:
    logits, target = sample(2)
    with pytest.raises(ValueError, match="cut the target"):
        dice(logits, target[:, 1:])
    with pytest.raises(ValueError, match="whole numbers"):
        dice(logits, target.double())
    with pytest.raises(ValueError, match="no class is left"):
        dice(logits[:, :1], target)
    with pytest.raises(ValueError, match="0 or more"):
        Tversky(-1.0, 0.5)
    with pytest.raises(ValueError, match="one loss or more"):
        Sum([])
    with pytest.raises(ValueError, match="weight a level"):
        DeepSupervision(Dice(), [1, 2], [1.0])


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_is_its_formula_and_without_gamma_cross_entropy(spatial, gamma) -> None:
    logits, target = sample(spatial)
    weights = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    total = 0.0
    for n in range(2):
        for place in product(*(range(size) for size in target.shape[1:])):
            truth = int(target[(n, *place)])
            if truth != -1:
                p = logits[(n, slice(None), *place)].softmax(0)[truth].item()
                total -= weights[truth].item() * (1 - p) ** gamma * log(p)
    loss = Focal(gamma, weights)(logits, target)
    assert loss.item() == pytest.approx(total / int((target != -1).sum()), rel=1e-12)
    if gamma == 0:
        torch.testing.assert_close(loss, CrossEntropy(weights=weights, void=-1)(logits, target))
    assert torch.autograd.gradcheck(lambda x: focal(x, target, gamma=gamma), (logits,))


def test_focal_has_finite_gradients_where_the_net_is_quite_sure() -> None:
    logits = torch.tensor([[[200.0], [-200.0]]], requires_grad=True)
    for truth in (0, 1):
        (gradient,) = torch.autograd.grad(focal(logits, torch.tensor([[truth]]), gamma=0.5), logits)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_focal_is_monais_sum_over_classes(spatial: int) -> None:
    monai = pytest.importorskip("monai.losses")
    logits, target = sample(spatial, void=0.0)
    theirs = monai.FocalLoss(gamma=2.0, use_softmax=True, to_onehot_y=True)(logits, target.unsqueeze(1))
    # It divides by the number of classes, too, and works in single precision.
    torch.testing.assert_close(focal(logits, target).float(), 3 * theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("spacing", [1.0, (2.0, 0.5, 1.3)])
def test_distances_are_scipys_and_those_of_brute_force(spatial, spacing) -> None:
    random = torch.Generator().manual_seed(1)
    steps = (1.0,) * spatial if spacing == 1.0 else spacing[:spatial]
    size = (17, 12, 9)[:spatial]
    mask = torch.rand(3, *size, generator=random) < 0.05
    mask[(2, *[0] * spatial)] = True
    mask[1] = False
    found = squared_distances(mask, steps)
    places = torch.stack(
        torch.meshgrid(*(torch.arange(n) * s for n, s in zip(size, steps, strict=True)), indexing="ij")
    )
    for n in (0, 2):
        inside = places[:, mask[n]]
        slow = ((places.unsqueeze(-1) - inside.reshape(spatial, *[1] * spatial, -1)) ** 2).sum(0).amin(-1)
        torch.testing.assert_close(found[n], slow.float())
        theirs = torch.from_numpy(distance_transform_edt(~mask[n].numpy(), sampling=steps)).float()
        torch.testing.assert_close(found[n].sqrt(), theirs)
    assert found[1].isinf().all()
    with pytest.raises(ValueError, match="`spacing` must be"):
        squared_distances(mask, (0.0,) * spatial)


def test_signed_distances_change_sign_at_the_boundary() -> None:
    target = torch.tensor([[0, 0, 1, 1, 1, -1], [0, 0, 0, 0, 0, 0]])
    signed = signed_distances(target, 3, 2.0)
    assert signed[0].tolist() == [[-4, -2, 2, 4, 6, 8], [4, 2, -2, -4, -2, 2], [0] * 6]
    assert signed[1].tolist() == [[0] * 6] * 3


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_the_boundary_loss_is_its_integral_and_least_at_the_truth(spatial: int) -> None:
    logits, target = sample(spatial)
    distances = signed_distances(target, 3, 0.5).double()
    known = (target != -1).unsqueeze(1)
    slow = (logits.softmax(1) * distances * known)[:, 1:].sum() / known.sum()
    loss = Boundary(0.5)(logits, target)
    torch.testing.assert_close(loss, slow)
    torch.testing.assert_close(loss, boundary(logits, target, distances=distances))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert not (gradient.abs().sum(1) > 0)[target == -1].any()
    truth = 1e3 * F.one_hot(target.clamp(min=0), 3).movedim(-1, 1).double()
    assert boundary(truth, target).item() < min(loss.item(), 0)
    with pytest.raises(ValueError, match="shape of the logits"):
        boundary(logits, target, distances=distances[:, 1:])
    with pytest.raises(ValueError, match="gamma >= 0"):
        Focal(-1.0)
