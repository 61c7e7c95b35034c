"""The a-trous identity."""

from itertools import product

import pytest
import timm
import torch
import torchvision.models as zoo
from tests.inspection.rewrites.nets import images, shaken
from torch import nn

from fieldcraft.errors import InspectError
from fieldcraft.inspection.difference import relative
from fieldcraft.inspection.rewrite import rewrite
from fieldcraft.inspection.rewrites.interface import Options

torch.set_num_threads(1)


def body(net: zoo.ResNet) -> nn.Sequential:
    return nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4)


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 3, padding=1), nn.AvgPool2d(2, 2),
        nn.Conv2d(4, 5, 3, padding=1), nn.MaxPool2d(3, 2, 1), nn.Conv2d(5, 5, 3, 1, 1),
    )  # fmt: skip


BODIES = {
    "resnet18": (lambda: body(zoo.resnet18()), 32),
    "mobilenet_v2": (lambda: zoo.mobilenet_v2(width_mult=0.35).features, 32),
    "pools": (small, 16),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("wanted", [2, 8])
@pytest.mark.parametrize("size", [(64, 64), (96, 71)])
def test_old_positions_have_the_old_numbers_borders_too(name: str, wanted: int, size: tuple[int, int]) -> None:
    make, total = BODIES[name]
    if name == "resnet18" and wanted == 2:
        wanted = 16
    net = shaken(make(), 1).double()
    made = rewrite(net, "stride-to-dilation", (3, *size), unsafe=True, options=Options(output_stride=wanted))
    x = images(2, 1, 3, *size).double()
    with torch.no_grad():
        old, new = net(x), made.module(x)
    step = total // wanted
    assert relative([old], [new[..., ::step, ::step]]) < 1e-9
    assert new.shape[-2] > old.shape[-2]
    assert sum(one.numel() for one in net.parameters()) == sum(one.numel() for one in made.module.parameters())


def test_between_them_stands_the_old_network_on_a_shifted_image() -> None:
    net = small().double().eval()
    wanted, total, side = 2, 16, 256
    new = rewrite(net, "stride-to-dilation", (3, side, side), unsafe=True, options=Options(output_stride=wanted)).module
    x = images(3, 1, 3, side, side).double()
    with torch.no_grad():
        dense = new(x)
        for shift in (2, 6, 10):
            old = net(x[..., shift:, shift:])
            units = range(5, 11)  # far from every border
            for unit in units:
                at = (unit * total + shift) // wanted
                torch.testing.assert_close(dense[0, :, at, at], old[0, :, unit, unit], rtol=1e-9, atol=1e-12)


def test_gates_and_a_whole_classifier_still_run() -> None:
    made = rewrite(zoo.mobilenet_v3_small(), "stride-to-dilation", (3, 64, 64), unsafe=True)
    assert made.after.macs > made.before.macs


def features(name: str) -> nn.Module:
    net = timm.create_model(name, num_classes=0, global_pool="")
    assert any(isinstance(one, nn.AvgPool2d) for one in net.modules())
    return net


@pytest.mark.parametrize(("name", "size"), [("resnet26d", (64, 64)), ("resnet26d", (33, 71)), ("resnet50d", (45, 32))])
def test_shortcuts_of_an_average_and_a_1x1_convolution_stay_as_large_as_the_branch(
    name: str, size: tuple[int, int]
) -> None:
    net = shaken(features(name), 1).double()
    made = rewrite(net, "stride-to-dilation", (3, *size), unsafe=True)
    x = images(2, 1, 3, *size).double()
    with torch.no_grad():
        old, new = net(x), made.module(x)
    assert relative([old], [new[..., ::4, ::4]]) < 1e-9
    assert new.shape[-2:] == tuple(-(-side // 8) for side in x.shape[-2:])


def test_pooled_inceptions_that_round_up() -> None:
    net = zoo.googlenet(aux_logits=False, init_weights=False)
    front = shaken(nn.Sequential(*list(net.children())[:9]), 1).double()  # up to the third pooling
    x = images(2, 1, 3, 70, 61).double()
    made = rewrite(front, "stride-to-dilation", (3, 70, 61), unsafe=True, options=Options(output_stride=4))
    with torch.no_grad():
        assert relative([front(x)], [made.module(x)[..., ::4, ::4]]) < 1e-9


POOLS = {
    "average": lambda *window: nn.AvgPool2d(*window, ceil_mode=False),
    "average, rounded up": lambda *window: nn.AvgPool2d(*window, ceil_mode=True),
    "average of real values": lambda *window: nn.AvgPool2d(*window, ceil_mode=True, count_include_pad=False),
    "sum": lambda *window: nn.AvgPool2d(*window, ceil_mode=True, divisor_override=1),
    "max": lambda *window: nn.MaxPool2d(*window, ceil_mode=False),
    "max, rounded up": lambda *window: nn.MaxPool2d(*window, ceil_mode=True),
}


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("window", [(2, 2, 0), (3, 2, 0), (3, 2, 1), (2, 1, 0), (5, 3, 2)])
def test_every_pooling_at_every_size_and_density(kind: str, window: tuple[int, int, int]) -> None:
    pool = POOLS[kind](*window)
    net = nn.Sequential(nn.MaxPool2d(3, 3, 1), pool, nn.Conv2d(1, 1, 3, window[1], 1)).double()
    step = 3 * window[1] ** 2
    for size in product(range(17, 24), (30,)):
        x = images(1, 1, 1, *size).double()
        for wanted in (1, 3):
            options = Options(output_stride=wanted)
            new = (
                rewrite(net, "stride-to-dilation", (1, *size), unsafe=True, options=options).module
                if (step > wanted)
                else net
            )
            apart = step // wanted
            with torch.no_grad():
                old, dense = net(x), new(x)
            assert dense[..., ::apart, ::apart].shape == old.shape
            torch.testing.assert_close(dense[..., ::apart, ::apart], old)


def test_what_cannot_be_dilated_is_refused_with_its_place() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.max_pool2d(self.first(x), 3, 2)

    with pytest.raises(InspectError, match=r"test_stride_to_dilation\.py:\d+ stands in the way: a pooling that is no"):
        rewrite(Functional(), "stride-to-dilation", (3, 64, 64), unsafe=True, options=Options(output_stride=1))
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.MaxPool2d(2, return_indices=True))
    with pytest.raises(InspectError, match="indices of a pooling"):
        rewrite(net, "stride-to-dilation", (3, 64, 64), unsafe=True, options=Options(output_stride=1))


def test_plain_residual_networks_keep_the_pooling_of_pytorch() -> None:
    made = rewrite(zoo.resnet18(), "stride-to-dilation", (3, 64, 64), unsafe=True, options=Options(output_stride=2))
    assert type(made.module.maxpool) is nn.MaxPool2d
