"""The effective field against closed forms: what many equal kernels make of each other."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fieldcraft.anatomy.effective import effective_field
from fieldcraft.anatomy.inputs import Input, as_inputs
from fieldcraft.errors import InspectError


def stack(kernels: tuple[int, ...], *, dilation: int = 1) -> nn.Module:
    layers = [nn.Conv2d(1, 1, k, padding=dilation * (k // 2), dilation=dilation, bias=False) for k in kernels]
    for layer in layers:
        nn.init.constant_(layer.weight, 1.0)
    return nn.Sequential(*layers)


@pytest.mark.parametrize(("kernels", "dilation"), [((3,), 1), ((3, 3, 3), 1), ((5, 3, 7), 1), ((3, 3), 4)])
def test_variances_of_equal_kernels_add_up(kernels: tuple[int, ...], dilation: int) -> None:
    """A kernel of k equal taps, `dilation` px apart, has variance dilation^2 (k^2 - 1) / 12, and convolutions add."""
    found = effective_field(stack(kernels, dilation=dilation), [Input(shape=(1, 65, 65))], samples=2)
    variance = sum(dilation**2 * (k * k - 1) / 12 for k in kernels)
    assert found.width_px == pytest.approx((variance**0.5,) * 2, rel=1e-5)
    size = 1 + sum(dilation * (k - 1) for k in kernels)
    assert found.theoretical_px == (size, size)
    assert found.share == pytest.approx(min(1, 4 * variance**0.5 / size) ** 2, rel=1e-5)
    assert found.heat.sum() == pytest.approx(1)


def test_the_heat_is_the_kernel_that_the_stack_makes() -> None:
    found = effective_field(stack((3, 3)), [Input(shape=(1, 9, 9))], samples=1)
    line = np.convolve(np.ones(3), np.ones(3))
    assert found.heat[2:7, 2:7] == pytest.approx(np.outer(line, line) / 81, rel=1e-5)
    assert found.heat[:2].sum() == 0


def test_random_nets_use_less_than_they_see_and_deeper_ones_a_smaller_share() -> None:
    def net(depth: int) -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(*(nn.Conv2d(4, 4, 3, padding=1, bias=False) for _ in range(depth)))

    shares = [effective_field(net(depth), [Input(shape=(4, 65, 65))], samples=8).share for depth in (4, 12, 28)]
    assert 1 > shares[0] > shares[1] > shares[2]


def test_images_are_used_and_the_module_is_left_alone() -> None:
    net = stack((3, 3))
    net.train()
    found = effective_field(net, [Input(shape=(1, 9, 9))], "0", images=torch.rand(3, 1, 9, 9))
    assert (found.samples, found.theoretical_px) == (3, (3, 3))
    assert net.training and all(one.grad is None and one.requires_grad for one in net.parameters())


def test_one_axis_and_three() -> None:
    line = nn.Conv1d(2, 2, 3, padding=1)
    assert len(effective_field(line, [Input(shape=(2, 32))]).width_px) == 1
    volume = nn.Conv3d(1, 1, 3, padding=1)
    assert effective_field(volume, [Input(shape=(1, 8, 8, 8))]).heat.shape == (8, 8, 8)


def test_two_inputs_by_name() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, *, image: Tensor, scale: Tensor) -> Tensor:
            return self.conv(image) * scale[:, :, None, None]

    found = effective_field(Two(), as_inputs({"image": (1, 9, 9), "scale": (1,)}), "conv")
    assert found.theoretical_px == (3, 3)


@pytest.mark.parametrize(
    ("path", "inputs", "says"),
    [
        ("cnov", Input(shape=(1, 9, 9)), "no submodule cnov; nearest: conv"),
        ("conv", Input(shape=(9,)), "needs an input of real numbers with spatial axes"),
    ],
)
def test_what_is_wrong_is_told(path: str, inputs: Input, says: str) -> None:
    net = nn.Sequential()
    net.add_module("conv", nn.Conv2d(1, 1, 3))
    with pytest.raises(InspectError, match=says):
        effective_field(net, [inputs], path)
