from collections.abc import Sequence
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fieldcraft.anatomy.receptive import (
    Field,
    Layer,
    Upsample,
    Window,
    field_after,
    interval,
    interval_through,
    map_size,
    plan_layers,
)
from fieldcraft.plan.schema import Cnn, ResNet

windows = st.builds(
    Window,
    kernel=st.integers(1, 7),
    stride=st.integers(1, 3),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
)
chains = st.lists(windows, max_size=4)
chains_with_upsampling = st.lists(windows | st.builds(Upsample, factor=st.integers(1, 3)), max_size=5)


def taps(layers: Sequence[Layer], i: int) -> set[int]:
    """Every input that output `i` looks at, one tap at a time."""
    places = {i}
    for layer in reversed(layers):
        if isinstance(layer, Window):
            places = {
                place * layer.stride - layer.padding + tap * layer.dilation
                for place in places
                for tap in range(layer.kernel)
            }
        else:
            places = {place // layer.factor for place in places}
    return places


# ---------------------------------------------------------------- published numbers: Araujo, Norris and Sim 2019

ALEXNET = {  # alexnet_v2 of TF-slim; the first convolution and the pools have no padding
    "conv1": (Window(11, 4), (11, 4, 0)),
    "pool1": (Window(3, 2), (19, 8, 0)),
    "conv2": (Window(5, 1, 2), (51, 8, 16)),
    "pool2": (Window(3, 2), (67, 16, 16)),
    "conv3": (Window(3, 1, 1), (99, 16, 32)),
    "conv4": (Window(3, 1, 1), (131, 16, 48)),
    "conv5": (Window(3, 1, 1), (163, 16, 64)),
    "pool5": (Window(3, 2), (195, 32, 64)),
}
CONV, POOL = Window(3, 1, 1), Window(2, 2)


def vgg(*convolutions: int) -> list[Window]:
    return [window for count in convolutions for window in (*(CONV,) * count, POOL)]


def bottlenecks(*units: int, last: bool) -> list[Window]:
    """ResNet-50 and its like, the stride in the last unit of a block (TF-slim) or in the first (torchvision)."""
    layers = [Window(7, 2, 3), Window(3, 2, 1)]
    for block, count in enumerate(units):
        for unit in range(count):
            strided = unit == count - 1 and block < 3 if last else unit == 0 and block > 0
            layers.append(Window(3, 2 if strided else 1, 1))
    return layers


def basic_blocks(*units: int) -> list[Window]:
    layers = [Window(7, 2, 3), Window(3, 2, 1)]
    for block, count in enumerate(units):
        for unit in range(count):
            layers += [Window(3, 2 if block and not unit else 1, 1), CONV]
    return layers


def test_alexnet_layer_by_layer() -> None:
    layers: list[Window] = []
    for layer, (size, stride, padding) in ALEXNET.values():
        layers.append(layer)
        field = field_after(layers)
        assert (field.size, field.stride, field.padding) == (size, stride, padding)


@pytest.mark.parametrize(
    ("layers", "size", "stride", "padding"),
    [
        (vgg(2, 2, 3, 3, 3), 212, 32, 90),
        ([*vgg(2, 2, 3, 3), CONV], 132, 16, 58),
        ([*vgg(2, 2, 3, 3), CONV, CONV], 164, 16, 74),
        (vgg(1, 1, 2, 2, 2), 150, 32, 59),
    ],
)
def test_vgg(layers: list[Window], size: int, stride: int, padding: int) -> None:
    field = field_after(layers)
    assert (field.size, field.stride, field.padding) == (size, stride, padding)


@pytest.mark.parametrize(
    ("units", "last", "size"),
    [
        ((3, 4, 6, 3), True, 483),
        ((3, 4, 23, 3), True, 1027),
        ((3, 8, 36, 3), True, 1507),
        ((3, 24, 36, 3), True, 1763),
        ((3, 4, 6, 3), False, 427),
        ((3, 4, 23, 3), False, 971),
        ((3, 8, 36, 3), False, 1451),
    ],
)
def test_deep_residual_networks(units: tuple[int, ...], last: bool, size: int) -> None:
    field = field_after(bottlenecks(*units, last=last))
    assert (field.size, field.stride) == (size, 32)


def test_residual_networks_with_symmetric_padding() -> None:
    assert field_after(bottlenecks(3, 4, 6, 3, last=True)).padding == 241
    assert field_after(bottlenecks(3, 4, 6, 3, last=False)).padding == 213
    assert field_after(basic_blocks(2, 2, 2, 2)).size == 435
    assert field_after(basic_blocks(3, 4, 6, 3)).size == 899


def test_mobilenet_layer_by_layer() -> None:
    strides = [2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    layers = [Window(3, stride, 1) for stride in strides]
    sizes = [field_after(layers[: count + 1]).size for count in range(len(layers))]
    assert sizes == [3, 7, 11, 19, 27, 43, 59, 91, 123, 155, 187, 219, 251, 315]
    assert field_after(layers).padding == 157


def test_centres_are_spaced_by_the_stride() -> None:
    """The published formula: -padding + i * stride + (size - 1) / 2."""
    field = Field(size=Fraction(3039), stride=Fraction(32), start=Fraction(-1482))
    assert [field.centre(i) for i in (0, 2)] == [37, 101]


# ---------------------------------------------------------------- against every tap


@settings(deadline=None, max_examples=150)
@given(layers=chains, i=st.integers(-5, 5))
def test_the_interval_is_from_the_first_to_the_last_tap(layers: list[Window], i: int) -> None:
    seen = taps(layers, i)
    field = field_after(layers)
    assert interval(field, i) == interval_through(layers, i) == (min(seen), max(seen))
    assert field.size_px == field.size == max(seen) - min(seen) + 1
    assert 2 * field.centre(i) == min(seen) + max(seen)


@settings(deadline=None, max_examples=200)
@given(layers=chains_with_upsampling, i=st.integers(-20, 20))
def test_with_upsampling_the_band_holds_every_tap(layers: list[Layer], i: int) -> None:
    seen = taps(layers, i)
    assert interval_through(layers, i) == (min(seen), max(seen))
    low, high = interval(field_after(layers), i)
    assert low <= min(seen) and max(seen) <= high


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_upsampling_alone_repeats_each_pixel(factor: int) -> None:
    field = field_after([Upsample(factor)])
    assert field.stride == Fraction(1, factor)
    assert [interval(field, i) for i in range(2 * factor)] == [(i // factor, i // factor) for i in range(2 * factor)]


def test_halving_and_doubling_give_back_the_stride() -> None:
    assert field_after([POOL, CONV, Upsample(2)]).stride == 1


@settings(deadline=None, max_examples=60)
@given(one=chains, two=chains)
def test_a_1_x_1_convolution_changes_nothing(one: list[Window], two: list[Window]) -> None:
    assert field_after([*one, Window(1), *two]) == field_after([*one, *two])


def test_three_small_kernels_see_as_much_as_a_large_one() -> None:
    assert field_after([CONV] * 2) == field_after([Window(5, 1, 2)])
    assert field_after([CONV] * 3) == field_after([Window(7, 1, 3)])


@pytest.mark.parametrize("bad", [{"kernel": 0}, {"kernel": 3, "stride": 0}, {"kernel": 3, "padding": -1}])
def test_impossible_windows(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must hold"):
        Window(**bad)
    with pytest.raises(ValueError, match="must hold"):
        Upsample(0)


# ---------------------------------------------------------------- against gradients


def convolutions(layers: Sequence[Layer]) -> nn.Sequential:
    """The chain with all weights one, so that every tap has a gradient."""
    parts: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, Upsample):
            parts.append(nn.Upsample(scale_factor=layer.factor, mode="nearest"))
            continue
        convolution = nn.Conv1d(1, 1, layer.kernel, layer.stride, layer.padding, layer.dilation, bias=False)
        nn.init.ones_(convolution.weight)
        parts.append(convolution)
    return nn.Sequential(*parts).double()


@settings(deadline=None, max_examples=60)
@given(layers=chains_with_upsampling, size=st.integers(1, 80), data=st.data())
def test_gradients_reach_exactly_as_far(layers: list[Layer], size: int, data: st.DataObject) -> None:
    count = map_size(layers, size)
    pixels = torch.ones(1, 1, size, dtype=torch.float64, requires_grad=True)
    if not count:
        with pytest.raises(RuntimeError):
            convolutions(layers)(pixels)
        return
    out = convolutions(layers)(pixels)
    assert out.shape[-1] == count
    i = data.draw(st.integers(0, count - 1))
    out[0, 0, i].backward()
    assert pixels.grad is not None
    reached = pixels.grad[0, 0].nonzero().flatten().tolist()
    low, high = interval_through(layers, i)
    assert all(low <= place <= high for place in reached)
    if not any(isinstance(layer, Window) and layer.padding for layer in layers):
        assert (reached[0], reached[-1]) == (low, high)


@pytest.mark.parametrize("downsample", ["max-pool", "stride"])
def test_the_middle_of_a_planned_network_sees_its_whole_field(downsample: str) -> None:
    """Far from the edges padding does not matter. Pools are checked as the averages that have the same taps."""
    layers = plan_layers(ResNet(widths=(1, 1, 1), depths=(1, 0, 1), downsample=downsample))
    pixels = torch.ones(1, 1, 128, dtype=torch.float64, requires_grad=True)
    out = convolutions(layers)(pixels)
    out[0, 0, out.shape[-1] // 2].backward()
    assert pixels.grad is not None
    reached = pixels.grad[0, 0].nonzero().flatten().tolist()
    assert (reached[0], reached[-1]) == interval(field_after(layers), out.shape[-1] // 2)


# ---------------------------------------------------------------- planned networks


def test_the_first_stage_keeps_the_map() -> None:
    assert plan_layers(Cnn(widths=(8,), depth=2)) == (CONV, CONV)
    assert plan_layers(ResNet(widths=(8,), depths=(1,))) == (CONV, CONV, CONV)


def test_later_stages_halve_it() -> None:
    assert plan_layers(Cnn(widths=(8, 8), depth=2)) == (CONV, CONV, CONV, POOL, CONV)
    strided = plan_layers(Cnn(widths=(8, 8), depth=2, downsample="stride"))
    assert strided == (CONV, CONV, Window(3, 2, 1), CONV)
    assert plan_layers(ResNet(widths=(8, 8), depths=(0, 1))) == (CONV, CONV, POOL, CONV, CONV)


def test_padding_and_kernel_are_the_networks() -> None:
    assert plan_layers(Cnn(widths=(8,), kernel=5)) == (Window(5, 1, 2),)
    assert plan_layers(Cnn(widths=(8,), kernel=5, padding="none")) == (Window(5),)
    assert plan_layers(Cnn(widths=(8,), kernel=4)) == (Window(4, 1, 1),)


@settings(deadline=None, max_examples=30)
@given(
    stages=st.integers(1, 4),
    depth=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5]),
    downsample=st.sampled_from(["max-pool", "stride"]),
)
def test_each_stage_doubles_the_stride(stages: int, depth: int, kernel: int, downsample: str) -> None:
    network = Cnn(widths=(4,) * stages, depth=depth, kernel=kernel, downsample=downsample)
    layers = plan_layers(network)
    assert field_after(layers).stride == 2 ** (stages - 1)
    assert map_size(layers, 64) == 64 // 2 ** (stages - 1)
