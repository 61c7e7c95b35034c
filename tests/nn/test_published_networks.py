import pytest
import torch
from torch import nn

from fieldcraft.nn.networks.cifar_resnet import CifarResNet, PaddedShortcutBlock
from fieldcraft.nn.networks.squeezenet import FEATURES, Fire, SqueezeNet


def weights(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_residual_networks_have_the_size_of_the_paper(depth: int, millions: float) -> None:
    """He et al. 2016, table 6."""
    assert weights(CifarResNet(10, depth=depth)) / 1e6 == pytest.approx(millions, abs=0.05 * millions)
    convolutions = [part for part in CifarResNet(10, depth=depth).modules() if isinstance(part, nn.Conv2d)]
    assert len(convolutions) + 1 == depth


def test_the_shortcut_is_what_its_formula_says() -> None:
    block = PaddedShortcutBlock(4, 8).eval()
    for weight in block.norm2.parameters():
        nn.init.zeros_(weight)
    x = torch.rand(2, 4, 6, 5)
    slow = torch.zeros(2, 8, 3, 3)
    for channel in range(4):
        for row in range(3):
            for column in range(3):
                slow[:, channel + 2, row, column] = x[:, channel, 2 * row, 2 * column]
    assert torch.equal(block(x), slow)
    same = PaddedShortcutBlock(4, 4).eval()
    for weight in same.norm2.parameters():
        nn.init.zeros_(weight)
    assert torch.equal(same(x), x)


def test_squeezenet_has_the_shapes_of_the_paper() -> None:
    """Iandola et al. 2016, table 1, for 224 px: 111, 55, 27 and 13 px; 1,248,424 weights."""
    net = SqueezeNet(1000).eval()
    assert weights(net) == 1_248_424
    sizes: dict[str, torch.Size] = {}
    for name, part in net.body.named_children():
        part.register_forward_hook(lambda _, __, out, name=name: sizes.__setitem__(name, out.shape[1:]))
    with torch.no_grad():
        assert net(torch.zeros(1, 3, 227, 227)).shape == (1, 1000)
    expected = {
        "conv1": (96, 111, 111), "pool1": (96, 55, 55), "fire2": (128, 55, 55), "fire3": (128, 55, 55),
        "fire4": (256, 55, 55), "pool4": (256, 27, 27), "fire5": (256, 27, 27), "fire6": (384, 27, 27),
        "fire7": (384, 27, 27), "fire8": (512, 27, 27), "pool8": (512, 13, 13), "fire9": (FEATURES, 13, 13),
    }  # fmt: skip
    assert {name: tuple(sizes[name]) for name in expected} == expected


def test_a_fire_puts_its_1x1_half_first() -> None:
    fire = Fire(3, 2, 4).eval()
    x = torch.rand(1, 3, 5, 5)
    thin = fire.squeeze(x).relu()
    assert torch.equal(fire(x)[:, :4], fire.expand1(thin).relu())
    assert torch.equal(fire(x)[:, 4:], fire.expand3(thin).relu())


def test_pooling_counts_windows_over_the_edge() -> None:
    with torch.no_grad():
        assert SqueezeNet(5).eval().body(torch.zeros(1, 3, 21, 21)).shape[2:] == (1, 1)


@pytest.mark.parametrize("depth", [2, 18, 21])
def test_other_depths_are_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="6 n"):
        CifarResNet(10, depth=depth)


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        PaddedShortcutBlock(4, 6)
