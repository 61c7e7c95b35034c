"""The a-trous identity."""

import pytest
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


def test_what_cannot_be_dilated_is_refused_with_its_place() -> None:
    with pytest.raises(InspectError, match=r"maxpool4|maxpool3"):
        rewrite(zoo.googlenet(aux_logits=False, init_weights=False), "stride-to-dilation", (3, 64, 64), unsafe=True)
