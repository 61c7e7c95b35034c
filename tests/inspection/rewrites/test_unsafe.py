"""Unsafe rewrites: where they keep the function after all, what they save, and that weights are no accident."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inspection.rewrites.nets import images, shaken
from torch import nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v3_small, resnet18

from fieldcraft.errors import InspectError
from fieldcraft.inspection.difference import relative
from fieldcraft.inspection.rewrite import rewrite
from fieldcraft.inspection.rewrites.blur_pool import BlurPool
from fieldcraft.inspection.rewrites.depthwise_separable import separated
from fieldcraft.inspection.rewrites.group_norm import grouped
from fieldcraft.inspection.rewrites.interface import Options
from fieldcraft.inspection.rewrites.kernel_factors import composed, factorised, relative_error
from fieldcraft.inspection.rewrites.tree import InstanceNorms
from fieldcraft.nn.networks.unet import UNet

torch.set_num_threads(1)


@pytest.mark.parametrize(("size", "axes", "groups"), [(5, 2, 1), (7, 2, 4), (5, 3, 2), (7, 1, 1)])
def test_the_fitted_stack_is_nearer_than_a_cut_and_than_chance(size: int, axes: int, groups: int) -> None:
    torch.manual_seed(0)
    kernel = torch.randn(4, 4 // groups, *[size] * axes)
    count = (size - 1) // 2
    fitted = relative_error(kernel, factorised(kernel, groups, count), groups)
    middle = torch.zeros_like(kernel)
    inside = (..., *[slice(1, -1)] * axes)
    middle[inside] = kernel[inside]
    cut = float((kernel - middle).norm() / kernel.norm())
    chance = [torch.randn(4, 4 // groups, *[3] * axes) for _ in range(count)]
    assert fitted < cut < 1 < relative_error(kernel, chance, groups)


def stacked(outputs: int, inputs: int, axes: int, count: int, near_identity: bool) -> list[torch.Tensor]:
    """Factors in double precision: random, or random changes of the identity."""
    torch.manual_seed(0)
    shapes = [(outputs, inputs if place == 0 else outputs, *[3] * axes) for place in range(count)]
    factors = [torch.randn(shape).double() for shape in shapes]
    if near_identity:
        centre = (..., *[1] * axes)
        for factor in factors:
            factor *= 0.1
            factor[centre] += torch.eye(*factor.shape[:2])
    return factors


@pytest.mark.parametrize(
    ("outputs", "inputs", "axes", "count", "near_identity"),
    [
        (1, 1, 2, 2, True),
        (1, 1, 2, 3, False),
        *((4, 4, 2, 2, near) for near in (True, False)),
        (6, 4, 2, 2, True),
        *((width, width, 1, 3, False) for width in (1, 32)),
        (4, 4, 3, 2, False),
        (6, 6, 2, 3, True),
    ],
)
def test_kernels_that_are_a_stack_are_found_to_be_one(
    outputs: int, inputs: int, axes: int, count: int, near_identity: bool
) -> None:
    kernel = composed(stacked(outputs, inputs, axes, count, near_identity), 1)
    assert relative_error(kernel, factorised(kernel, 1, count), 1) < 1e-4


@pytest.mark.parametrize("width", [1, 5, 16])
def test_in_one_dimension_square_kernels_have_exact_stacks_in_single_precision_too(width: int) -> None:
    torch.manual_seed(0)
    kernel = torch.randn(width, width, 7)
    assert relative_error(kernel, factorised(kernel, 1, 3), 1) < 1e-4


def test_every_channel_of_a_depthwise_kernel_has_starts_of_its_own() -> None:
    kernel = composed([torch.randn(6, 1, 3, 3, generator=torch.Generator().manual_seed(1)) for _ in range(2)], 6)
    together = factorised(kernel, 6, 2)
    assert relative_error(kernel, together, 6) < 1e-4
    for channel in range(6):
        alone = factorised(kernel[channel : channel + 1], 1, 2)
        assert relative_error(kernel[channel : channel + 1], alone, 1) < 1e-4


def test_kernels_without_numbers_stay_so() -> None:
    empty = torch.zeros(4, 4, 5)
    assert all(not one.any() for one in [composed(factorised(empty, 1, 2), 1)])
    assert all(one.is_meta for one in factorised(torch.empty(4, 4, 5, 5, device="meta"), 1, 2))


@settings(max_examples=10, deadline=None)
@given(axes=st.integers(1, 3), groups=st.sampled_from([1, 2]), seed=st.integers(0, 2**31))
def test_the_composition_is_what_the_stack_computes(axes: int, groups: int, seed: int) -> None:
    torch.manual_seed(seed)
    factors = [torch.randn(6, (2 if place == 0 else 6) // groups, *[3] * axes).double() for place in range(2)]
    convolve = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    x = torch.randn(1, 2, *[7] * axes).double()
    slow = convolve(convolve(x, factors[0], groups=groups), factors[1], groups=groups)
    torch.testing.assert_close(convolve(x, composed(factors, groups), groups=groups), slow)


def test_a_stack_has_the_field_and_the_size_of_the_large_kernel_and_costs_less() -> None:
    net = nn.Sequential(nn.Conv2d(8, 8, 7, padding=3), nn.Identity()).double()
    made = rewrite(net, "FC008", (8, 16, 16), unsafe=True)
    assert made.after.parameters < made.before.parameters
    x = torch.zeros(1, 8, 64, 64).double().requires_grad_()
    made.module(x)[0, :, 16, 16].sum().backward()
    seen = x.grad.abs().sum((0, 1)).nonzero()  # type: ignore[union-attr]
    assert made.module(x).shape == net(x).shape
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [7, 7]
    stem = nn.Sequential(nn.Conv2d(3, 64, 7, stride=2, padding=3))
    with pytest.raises(InspectError, match="times as much"):
        rewrite(stem, "stack-kernels", (3, 32, 32), unsafe=True)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_separable_kernels_are_found_exactly_and_others_best(seed: int) -> None:
    torch.manual_seed(seed)
    conv = nn.Conv2d(6, 5, 3, padding=1).double()
    pair, error = separated(conv)
    x = torch.randn(2, 6, 8, 8).double()
    with torch.no_grad():
        product = torch.einsum("oi,ihw->oihw", pair[1].weight[..., 0, 0], pair[0].weight[:, 0])
        assert float((product - conv.weight).norm() / conv.weight.norm()) == pytest.approx(error)
        for _ in range(5):  # no other rank-one form is nearer
            moved = torch.einsum(
                "oi,ihw->oihw",
                pair[1].weight[..., 0, 0] + 0.01 * torch.randn(5, 6).double(),
                pair[0].weight[:, 0] + 0.01 * torch.randn(6, 3, 3).double(),
            )
            assert (moved - conv.weight).norm() >= (product - conv.weight).norm()
        conv.weight.copy_(product)
        again, lost = separated(conv)
        assert lost < 1e-6
        assert relative([conv(x)], [again(x)]) < 1e-9


def test_depthwise_separable_costs_what_the_paper_says() -> None:
    net = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1, bias=False))
    made = rewrite(net, "FC028", (16, 8, 8), unsafe=True)
    assert made.after.parameters * 32 * 9 == made.before.parameters * (32 + 9)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), channels=st.sampled_from([4, 6, 32, 64]))
def test_group_norm_agrees_where_samples_are_as_the_running_statistics_say(seed: int, channels: int) -> None:
    norm = shaken(nn.BatchNorm2d(channels), seed).double()
    x = images(seed, 1, channels, 8, 8).double() * 3 + 1
    norm.running_mean.copy_(x.mean((0, 2, 3)))
    norm.running_var.copy_(x.var((0, 2, 3), correction=0))
    new = grouped(norm)
    assert 1 <= new.num_groups < channels
    torch.testing.assert_close(new(x), norm(x))


def test_group_norm_takes_the_place_of_every_batch_norm() -> None:
    made = rewrite(shaken(resnet18(), 1), "FC022", (3, 32, 32), unsafe=True)
    assert not any(isinstance(one, nn.BatchNorm2d) for one in made.module.modules())


class Pooled(nn.Module):
    """A head that flattens by a function."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.drop, self.head = nn.Conv2d(3, 6, 3, padding=1), nn.Dropout(), nn.Linear(6 * 64, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(torch.flatten(torch.relu(self.body(x)), 1)))


def test_an_averaging_head_agrees_on_constant_maps_and_takes_any_size() -> None:
    net = Pooled().eval()
    made = rewrite(net, "FC026", (3, 8, 8), unsafe=True)
    maps = images(1, 5, 6, 1, 1).expand(5, 6, 8, 8).flatten(1)
    torch.testing.assert_close(made.module.head(maps), net.head(maps))
    assert made.module(images(2, 2, 3, 20, 12)).shape == (2, 4)
    assert made.after.parameters == made.before.parameters - 6 * 63 * 4
    with pytest.raises(InspectError, match=r"nn\.Flatten"):
        rewrite(net, "pooled-head", (3, 8, 8), unsafe=True, options=Options(head="pyramid"))


@pytest.mark.parametrize("side", [4, 8])
def test_a_pyramid_agrees_on_maps_that_are_constant_within_its_bins(side: int) -> None:
    net = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(6 * side * side, 4))
    made = rewrite(net, "FC027", (6, side, side), unsafe=True, options=Options(head="pyramid"))
    maps = images(1, 5, 6, 4, 4).repeat_interleave(side // 4, 2).repeat_interleave(side // 4, 3)
    torch.testing.assert_close(made.module(maps), net(maps))
    assert made.module(images(1, 2, 6, 11, 9)).shape == (2, 4)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 3, 0), (3, (1, 2), 1)])
def test_blur_pool_keeps_size_and_constants_and_is_steadier_under_shifts(
    kernel: int, stride: int | tuple[int, int], padding: int
) -> None:
    net = nn.Sequential(nn.MaxPool2d(kernel, stride, padding))
    new = rewrite(net, "FC021", (3, 17, 20), unsafe=True).module
    x = images(1, 2, 3, 17, 20)
    assert new(x).shape == net(x).shape
    torch.testing.assert_close(new(torch.full_like(x, 2.5)), net(torch.full_like(x, 2.5)))
    moved = x.roll(1, -1)
    assert (new(moved) - new(x)).std() < (net(moved) - net(x)).std()


def test_the_blur_is_the_binomial_filter_of_the_paper() -> None:
    taps = torch.tensor([1.0, 2.0, 1.0])
    torch.testing.assert_close(BlurPool((2, 2)).kernel[0, 0], torch.outer(taps, taps) / 16)


def test_padding_adds_around_and_keeps_the_middle() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 5))
    x = images(1, 2, 3, 16, 16)
    new = rewrite(net, "FC006", (3, 16, 16), unsafe=True).module
    assert new(x).shape[-2:] == (16, 16)
    torch.testing.assert_close(new(x)[..., 3:-3, 3:-3], net(x))


def test_padding_in_front_of_a_flattened_map_is_refused_with_the_layer() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    with pytest.raises(InspectError, match=r"after add-padding .*2 \(Linear"):
        rewrite(net, "add-padding", (3, 8, 8), unsafe=True)


def test_activations_are_swapped_but_for_gates_and_outputs() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.GELU(), nn.Linear(4, 2), nn.Sigmoid())
    new = rewrite(net, "FC016", (3,), unsafe=True, options=Options(activation="silu")).module
    assert [type(one).__name__ for one in new] == ["Linear", "SiLU", "GELU", "Linear", "Sigmoid"]
    with pytest.raises(InspectError, match='but got "swish"'):
        rewrite(net, "swap-activation", (3,), unsafe=True, options=Options(activation="swish"))


def test_gates_start_as_the_identity_and_learn() -> None:
    torch.manual_seed(1)  # the few hidden units of a gate may all be off for one input
    net = shaken(resnet18(num_classes=4), 1)
    made = rewrite(net, "squeeze-excitation", (3, 32, 32), unsafe=True)
    assert [one.path for one in made.changes] == [f"layer{s}.{b}.bn2" for s in (1, 2, 3, 4) for b in (0, 1)]
    assert made.difference == 0
    made.module(images(1, 2, 3, 32, 32)).sum().backward()
    assert all(
        one[1].excite.weight.grad.abs().sum() > 0 for one in (made.module.layer1[0].bn2, made.module.layer2[1].bn2)
    )


@pytest.mark.parametrize("spatial", [2, 3])
def test_gates_come_behind_the_norms_of_masks(spatial: int) -> None:
    net = UNet(1, 2, spatial=spatial, widths=(4, 8))
    made = rewrite(net, "squeeze-excitation", (1, *(8,) * spatial), unsafe=True)
    norms = [path for path, one in net.named_modules() if isinstance(one, InstanceNorms)]
    assert norms and [one.path for one in made.changes] == norms and made.difference == 0


def test_blocks_with_gates_get_no_second_one() -> None:
    made = rewrite(mobilenet_v3_small(), "squeeze-excitation", (3, 64, 64), unsafe=True)
    assert made.left and all(one.what == "the block has a gate" for one in made.left)
