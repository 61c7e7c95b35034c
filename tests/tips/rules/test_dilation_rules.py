"""FC018 and FC019: rates with a common factor, rates as large as the map; and the sets of pixels behind them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tips.rules.seen import findings, only
from torch import nn
from torchvision.models.segmentation import fcn_resnet50

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.records.finding import Severity
from fieldcraft.tips.rules import dilation_wider_than_map, gridding
from fieldcraft.tips.rules.taps import taps


def dilated(*rates: int, kernel: int = 3, channels: int = 2) -> nn.Sequential:
    pads = [rate * (kernel - 1) // 2 for rate in rates]
    return nn.Sequential(
        *[
            nn.Conv1d(channels, channels, kernel, padding=pad, dilation=rate)
            for rate, pad in zip(rates, pads, strict=True)
        ]
    )


def seen_by_gradient(net: nn.Module, length: int) -> set[int]:
    """Pixels that the unit in the middle depends on, with weights that cannot cancel."""
    net = net.double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(1.0)
    x = torch.ones(1, 2, length, dtype=torch.float64, requires_grad=True)
    out = net(x)
    out[0, 0, out.shape[-1] // 2].backward()
    assert x.grad is not None
    return set(x.grad[0, 0].nonzero().flatten().tolist())


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=4
    )
)
@settings(max_examples=60)
def test_the_set_of_pixels_is_that_of_the_gradients(layers: list[tuple[int, int, int, int]]):
    net = nn.Sequential(*[nn.Conv1d(2, 2, kernel, stride, padding, rate) for kernel, stride, rate, padding in layers])
    length = 4000  # strides of 81 and fields of 480 px: the unit in the middle sees no padding, at no depth
    anatomy = look(net, as_inputs((2, length)))
    found = taps(anatomy, 0, 1)[anatomy.outputs[0]]
    unit = anatomy.shape(anatomy.outputs[0])[-1] // 2
    pixels = {found.first + unit * found.step + place for place in range(found.span) if found.seen >> place & 1}
    assert {one for one in pixels if 0 <= one < length} == seen_by_gradient(net, length)


def test_a_residual_branch_is_united_with_what_it_leads_around():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv1d(2, 2, 3, padding=4, dilation=4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.conv(x) + x.roll(0)

    net = nn.Sequential(nn.Conv1d(2, 2, 3, padding=1), Block())
    anatomy = look(net, as_inputs((2, 64)))
    found = taps(anatomy, 0, 1)[anatomy.outputs[0]]
    assert (found.span, found.share) == (11, 9 / 11)  # three px at -4, 0 and 4


@pytest.mark.parametrize(("rates", "factor"), [((2, 4, 8), 2), ((2, 2, 2), 2), ((3, 6), 3)])
def test_rates_with_a_common_factor_leave_pixels_out(rates: tuple[int, ...], factor: int):
    found = only(gridding.RULE, dilated(*rates), (2, 64))
    assert found.severity is Severity.WARNING
    assert found.numbers["factor"] == factor
    reach = sum(rates) // factor
    assert found.numbers["seen"] == (2 * reach + 1) / (2 * sum(rates) + 1)
    assert len(found.rows) == len(rates)


@pytest.mark.parametrize(
    "net",
    [dilated(1, 2, 5), dilated(1, 2, 4, 8, 16, kernel=2), dilated(1, 2, 3), dilated(1, 2, 2), dilated(1, 3, 1, 3)],
)
def test_rates_that_see_every_pixel(net: nn.Module):
    assert not findings(gridding.RULE, net, (2, 128))


def test_one_rate_all_along_is_information():
    found = only(gridding.RULE, dilated(1, 2, 2, 2), (2, 64))
    assert found.severity is Severity.INFO
    assert found.numbers == {"factor": 2, "layers": 3}


def test_a_dilated_residual_network_is_information():
    with torch.device("meta"):
        net = fcn_resnet50(weights_backbone=None)
    found = only(gridding.RULE, net, (3, 224, 224))
    assert found.severity is Severity.INFO
    assert found.numbers["factor"] == 2


def test_a_rate_as_large_as_the_map():
    net = nn.Conv2d(4, 4, 3, padding=16, dilation=16)
    found = only(dilation_wider_than_map.RULE, net, (4, 16, 16))
    assert found.numbers == {"rate": 16, "map": 16, "wasted_weights": 4 * 4 * 8}
    x = torch.randn(1, 4, 16, 16)
    alone = nn.functional.conv2d(x, net.weight[:, :, 1:2, 1:2], net.bias)
    torch.testing.assert_close(net(x), alone)  # it is a 1x1 convolution


def test_a_rate_below_the_side_of_the_map():
    assert not findings(dilation_wider_than_map.RULE, nn.Conv2d(4, 4, 3, padding=15, dilation=15), (4, 16, 16))
    assert not findings(dilation_wider_than_map.RULE, nn.Conv2d(4, 4, 3, padding=1), (4, 1, 1))
