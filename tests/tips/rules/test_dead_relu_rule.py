"""FC017: biases and weights that put rectifiers where they are never active."""

import pytest
import torch
from tests.tips.rules.seen import findings, only
from torch import Tensor, nn

from fieldcraft.anatomy.look import SAMPLE, weight_statistics
from fieldcraft.tips.rules import dead_relu_risk


def layers(depth: int, *, gain: float = 1.0, bias: float = 0.0, norm: bool = False) -> nn.Sequential:
    """Rectified layers with He's scale times a gain."""
    torch.manual_seed(0)
    steps: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(64, 64)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        linear.weight.data *= gain
        nn.init.constant_(linear.bias, bias)
        steps += [linear, *([nn.BatchNorm1d(64)] if norm else []), nn.ReLU()]
    return nn.Sequential(*steps)


def active(net: nn.Module, x: Tensor) -> float:
    """Share of the last rectifiers that are on."""
    with torch.no_grad():
        return float((net.eval()(x) > 0).float().mean())


def test_biases_far_below_zero():
    net = layers(2, bias=-6.0)
    found = only(dead_relu_risk.RULE, net, (64,))
    assert found.layers == ("0", "2")
    assert active(net[:2], torch.randn(256, 64)) < 0.02


def test_weights_that_are_many_times_too_small():
    net = layers(6, gain=0.2)
    found = only(dead_relu_risk.RULE, net, (64,))
    assert found.numbers["scale"] == pytest.approx(0.2**6, rel=0.2)


def test_the_default_initialisation_in_depth_without_norms():
    torch.manual_seed(0)
    net = nn.Sequential(*[layer for _ in range(12) for layer in (nn.Linear(64, 64), nn.ReLU())])
    found = only(dead_relu_risk.RULE, net, (64,))
    # Its deviation is 1/sqrt(3 fan-in), He's is sqrt(2 / fan-in).
    assert found.numbers["scale"] == pytest.approx((1 / 6**0.5) ** 12, rel=0.5)
    with torch.no_grad():
        made = net(torch.randn(100, 64))
    assert made.std(0).max() < 0.01 * made.abs().max()  # the biases alone decide


@pytest.mark.parametrize(
    "net", [layers(12), layers(12, gain=0.2, norm=True), layers(2, gain=0.4), layers(3, bias=0.1), layers(3, bias=-0.1)]
)
def test_good_starts(net: nn.Module):
    assert not findings(dead_relu_risk.RULE, net, (64,))
    assert active(net, torch.randn(256, 64)) > 0.1


def test_shifts_of_norms_count_as_biases():
    net = layers(2, norm=True)
    nn.init.constant_(net[1].bias, -3.0)
    assert only(dead_relu_risk.RULE, net, (64,)).layers == ("1",)


def test_without_values_nothing_is_said():
    assert not findings(dead_relu_risk.RULE, layers(2, bias=-6.0).to("meta"), (64,))


@pytest.mark.parametrize("shape", [(7,), (64, 3, 3, 3), (512, 256, 3, 3)])
def test_statistics_of_a_sample_are_those_of_all(shape: tuple[int, ...]):
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(shape, generator=generator) * 0.3 + 0.1
    for one in (numbers, numbers.to(memory_format=torch.channels_last) if len(shape) == 4 else numbers):
        found = weight_statistics(one)
        assert found is not None
        error = 5 * 0.3 / min(one.numel(), SAMPLE) ** 0.5 if one.numel() > SAMPLE else 1e-6
        assert found.mean == pytest.approx(one.mean().item(), abs=error)
        assert found.deviation == pytest.approx(one.std(correction=0).item(), abs=error)
        assert one.min() <= found.smallest <= found.largest <= one.max()
