"""FC006 to FC008, FC020, FC021, FC034: kernels, strides, padding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tips.rules.seen import findings, line_of, only
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.records.finding import Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rules import (
    aliasing_max_pool,
    checkerboard,
    even_kernel_shifts,
    large_kernel,
    linear_chain,
    shrinking_borders,
)


class Steps(nn.Module):
    def __init__(self, *steps: nn.Module) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = F.relu(step(x))
        return x


# ---------------------------------------------------------------- FC006


def test_unpadded_steps_lose_what_they_lose():
    net = Steps(nn.Conv2d(3, 8, 3), *(nn.Conv2d(8, 8, 3) for _ in range(4)))
    finding = only(shrinking_borders.RULE, net, (3, 32, 32))
    left = net(torch.zeros(1, 3, 32, 32)).shape[-1]
    assert finding.numbers["lost_share"] == pytest.approx(1 - (left / 32) ** 2)
    assert line_of(finding) == "x = F.relu(step(x))"
    assert len(finding.layers) == 5


@pytest.mark.parametrize(
    "net",
    [
        Steps(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 5, padding=2)),
        Steps(nn.Conv2d(3, 8, 4, stride=4)),
        Steps(nn.Conv2d(3, 8, 32)),
        nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 8, 3)),
        nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 8, 3, stride=2)),
        Steps(nn.ConvTranspose2d(3, 8, 3)),
    ],
    ids=["padded", "patches", "whole map", "a pad before", "a pad and a stride", "transposed"],
)
def test_padded_convolutions_and_patches(net: nn.Module):
    assert not findings(shrinking_borders.RULE, net, (3, 32, 32))


def test_a_little_of_a_large_image_is_left_alone():
    assert not findings(shrinking_borders.RULE, Steps(nn.Conv2d(3, 8, 3)), (3, 224, 224))


# ---------------------------------------------------------------- FC007


@pytest.mark.parametrize(("kernel", "padding"), [(2, 0), (2, 1), (4, 1), (4, 2)])
def test_even_kernels_at_stride_one(kernel: int, padding: int):
    finding = only(even_kernel_shifts.RULE, Steps(nn.Conv2d(3, 8, kernel, padding=padding)), (3, 16, 16))
    assert f"{kernel}x{kernel}" in finding.message
    assert line_of(finding) == "x = F.relu(step(x))"


@pytest.mark.parametrize(
    "step",
    [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(3, 8, 2, stride=2),
        nn.Conv2d(3, 8, 4, stride=2, padding=1),
        nn.Conv2d(3, 8, 2, dilation=2),
        nn.Conv2d(3, 8, 16),
    ],
)
def test_windows_with_a_middle(step: nn.Module):
    assert not findings(even_kernel_shifts.RULE, Steps(step), (3, 16, 16))


def test_causal_convolutions_mean_it():
    padded = nn.Sequential(nn.ConstantPad1d((1, 0), 0.0), nn.Conv1d(3, 8, 2))
    assert not findings(even_kernel_shifts.RULE, padded, (3, 16))
    assert not findings(even_kernel_shifts.RULE, Steps(nn.Conv1d(3, 8, 2, padding=1)), (3, 16))
    assert findings(even_kernel_shifts.RULE, Steps(nn.Conv1d(3, 8, 2)), (3, 16))


@settings(deadline=None, max_examples=20)
@given(kernel=st.integers(2, 6), dilation=st.integers(1, 3))
def test_a_shift_is_an_uneven_reach(kernel: int, dilation: int):
    """Of the taps around the middle of the result, one more lies on one side: measured by gradient."""
    conv = nn.Conv1d(1, 1, kernel, dilation=dilation)
    nn.init.ones_(conv.weight)
    x = torch.zeros(1, 1, 41, requires_grad=True)
    y = conv(x)
    half = (y.shape[-1] - 1) // 2
    (gradient,) = torch.autograd.grad(y[0, 0, half], x)
    places = gradient[0, 0].nonzero().flatten()
    middle = (places[0] + places[-1]).item() / 2
    lies_on_a_pixel = middle == int(middle)
    assert bool(findings(even_kernel_shifts.RULE, conv, (1, 41))) == (not lies_on_a_pixel)


# ---------------------------------------------------------------- FC008


def test_the_numbers_of_the_paper():
    """Simonyan and Zisserman 2014, section 2.3: three 3x3 take 27 C^2 weights, one 7x7 takes 49 C^2."""
    finding = only(large_kernel.RULE, Steps(nn.Conv2d(16, 16, 7, padding=3)), (16, 16, 16))
    assert (finding.numbers["weights"], finding.numbers["weights_of_stack"]) == (49 * 256, 27 * 256)
    assert finding.severity == Severity.INFO
    finding = only(large_kernel.RULE, Steps(nn.Conv3d(16, 16, 5, padding=2)), (16, 8, 8, 8))
    assert (finding.numbers["weights"], finding.numbers["weights_of_stack"]) == (125 * 256, 54 * 256)
    assert finding.severity == Severity.WARNING
    assert line_of(finding) == "x = F.relu(step(x))"


@pytest.mark.parametrize(
    "step",
    [
        nn.Conv2d(16, 16, 3, padding=1),
        nn.Conv2d(16, 16, (1, 7), padding=(0, 3)),
        nn.Conv2d(16, 16, 7, padding=3, groups=16),
        nn.Conv2d(16, 64, 7, padding=3),
        nn.Conv2d(16, 16, 7, stride=2, padding=3),
        nn.Conv2d(16, 16, 1),
    ],
    ids=["small", "one axis", "depthwise", "few channels in", "strided", "1x1"],
)
def test_kernels_that_cost_no_more(step: nn.Module):
    assert not findings(large_kernel.RULE, Steps(step), (16, 16, 16))


def test_a_gate_of_a_few_weights_is_left_alone():
    heavy = nn.Sequential(nn.Linear(32, 1000), nn.Linear(1000, 32))
    assert not findings(large_kernel.RULE, nn.Sequential(nn.Conv2d(2, 2, 7, padding=3), heavy), (2, 32, 32))
    assert findings(large_kernel.RULE, nn.Conv2d(2, 2, 7, padding=3), (2, 32, 32))


@settings(deadline=None, max_examples=30)
@given(kernel=st.lists(st.integers(1, 9), min_size=1, max_size=3), inputs=st.integers(1, 4), outputs=st.integers(1, 4))
def test_the_stack_is_counted_as_it_would_be_built(kernel: list[int], inputs: int, outputs: int):
    axes = len(kernel)
    conv = Convolution(
        kernel=tuple(kernel),
        stride=(1,) * axes,
        padding=(0,) * axes,
        dilation=(1,) * axes,
        groups=1,
        inputs=inputs,
        outputs=outputs,
        bias=False,
    )
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    left, steps = list(kernel), []
    while not steps or max(left) > 1:
        step = [min(3, size) for size in left]
        steps.append(kind(outputs if steps else inputs, outputs, step, bias=False))
        left = [size - taken + 1 for size, taken in zip(left, step, strict=True)]
    assert large_kernel.stack_weights(conv) == sum(one.weight.numel() for one in steps)
    x = torch.zeros(1, inputs, *(10,) * axes)
    assert nn.Sequential(*steps)(x).shape[2:] == tuple(10 - size + 1 for size in kernel)


# ---------------------------------------------------------------- FC020


@settings(deadline=None, max_examples=40)
@given(kernel=st.integers(1, 7), stride=st.integers(1, 4), dilation=st.integers(1, 3))
def test_a_checkerboard_is_what_ones_give(kernel: int, stride: int, dilation: int):
    """With weights and inputs of one, each output pixel is the number of products that it sums."""
    conv = nn.ConvTranspose1d(1, 1, kernel, stride=stride, dilation=dilation, bias=False)
    nn.init.ones_(conv.weight)
    with torch.no_grad():
        y = conv(torch.ones(1, 1, 60))[0, 0]
    edge = (kernel - 1) * dilation
    middle = y[edge : len(y) - edge]
    found = findings(checkerboard.RULE, conv, (1, 60))
    assert bool(found) == (middle.min() != middle.max())
    if found:
        assert found[0].numbers["products_least"] == middle.min()
        assert found[0].numbers["products_most"] == middle.max()


def test_the_checkerboard_of_odena():
    finding = only(checkerboard.RULE, Steps(nn.ConvTranspose2d(3, 8, 3, stride=2)), (3, 8, 8))
    assert "1 to 4 products" in finding.message
    assert line_of(finding) == "x = F.relu(step(x))"
    for good in (nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1), nn.ConvTranspose2d(3, 8, 2, stride=2)):
        assert not findings(checkerboard.RULE, Steps(good), (3, 8, 8))


# ---------------------------------------------------------------- FC021


def test_strided_max_pools_are_one_line():
    net = Steps(nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(2), nn.MaxPool2d(3, stride=1, padding=1), nn.MaxPool2d(2))
    finding = only(aliasing_max_pool.RULE, net, (3, 16, 16))
    assert finding.layers == ("steps.1", "steps.3")
    assert finding.severity == Severity.INFO
    assert not findings(aliasing_max_pool.RULE, Steps(nn.AvgPool2d(2)), (3, 16, 16))


# ---------------------------------------------------------------- FC034


class Transposed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mT


class Pair(nn.Module):
    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.second(x)


@pytest.mark.parametrize(
    ("pair", "shape", "then"),
    [
        (Pair(nn.Linear(8, 16), nn.Linear(16, 4)), (8,), 32),
        (Pair(nn.Linear(8, 16), nn.Linear(16, 4)), (5, 8), 32),
        (Pair(nn.Conv2d(8, 16, 1), nn.Conv2d(16, 4, 1)), (8, 6, 6), 32),
        (Pair(nn.Conv2d(8, 16, 3, padding=1), nn.Conv2d(16, 4, 1)), (8, 6, 6), 9 * 32),
        (Pair(nn.Conv2d(8, 16, 1, bias=False), nn.Conv2d(16, 4, 3, padding=1)), (8, 6, 6), 9 * 32),
    ],
)
def test_linear_maps_in_a_row_are_one(pair: Pair, shape: tuple[int, ...], then: int):
    finding = only(linear_chain.RULE, pair, shape)
    assert finding.numbers["weights_of_one"] == then
    assert finding.numbers["weights"] == pair.first.weight.numel() + pair.second.weight.numel()
    assert line_of(finding) == "return self.second(x)"
    # They are: f(a + b) - f(b) is linear in a.
    a, b, c = (torch.randn(2, *shape, dtype=torch.float64) for _ in range(3))
    pair.double()
    assert torch.allclose(pair(a + b) - pair(b), pair(a + c) - pair(c), atol=1e-10)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), (8,)),
        (nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 4)), (8,)),
        (nn.Sequential(nn.Linear(64, 2), nn.Linear(2, 64)), (64,)),
        (nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 16, 1)), (8, 6, 6)),
        (nn.Sequential(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3)), (8, 9, 9)),
        (nn.Sequential(nn.Linear(8, 8), Transposed(), nn.Linear(8, 8)), (8, 8)),
        (nn.Sequential(nn.Conv2d(8, 16, 1), nn.BatchNorm2d(16), nn.Conv2d(16, 4, 1)), (8, 6, 6)),
        (nn.Sequential(nn.Conv2d(8, 16, 1), nn.Conv2d(16, 4, 3, padding=1)), (8, 6, 6)),
    ],
    ids=[
        "activation",
        "dropout",
        "low rank",
        "separable",
        "two 3x3",
        "rows, then columns",
        "norm",
        "biased into padding",
    ],
)
def test_linear_maps_with_a_reason(net: nn.Module, shape: tuple[int, ...]):
    assert not findings(linear_chain.RULE, net, shape)
