"""Maps of a network on its way: of the sizes that they say, and what the layers really give."""

import copy

import pytest
import torch
from torch import nn

from fieldcraft.nn.networks.cifar_resnet import CifarResNet
from fieldcraft.nn.networks.tapped import Tapped, taps_of


def tapped(body: nn.Module, **more: bool) -> Tapped:
    return Tapped(nn.Identity(), body, taps_of(body, 3), **more)


def test_maps_of_a_chain_are_what_its_parts_give() -> None:
    torch.manual_seed(0)
    body = CifarResNet(10, depth=20).body.eval()
    net = tapped(body).eval()
    assert [(tap.width, tap.reduction) for tap in net.taps] == [(16, 1), (32, 2), (64, 4)]
    x = torch.randn(1, 3, 20, 28)
    wanted, now = [], x
    for name, part in body.named_children():
        now = part(now)
        if name.endswith("block3"):
            wanted.append(now)
    for found, right in zip(net(x), wanted, strict=True):
        assert torch.equal(found, right)
    assert not any(module._forward_hooks for module in body.modules())


@pytest.mark.parametrize(
    ("name", "maps"), [("resnet18", [(64, 2), (64, 4), (128, 8), (256, 16), (512, 32)]), ("vit_b_16", [])]
)
def test_torchvisions_networks(name: str, maps: list[tuple[int, int]]) -> None:
    models = pytest.importorskip("torchvision").models
    body = models.get_model(name, weights=None)
    assert [(tap.width, tap.reduction) for tap in taps_of(body, 3)] == maps
    if maps:
        x, net = torch.randn(1, 3, 64, 96), tapped(body).eval()
        assert [one.shape for one in net(x)] == [(1, width, 64 // step, 96 // step) for width, step in maps]
        stem = body.relu(body.bn1(body.conv1(x)))
        torch.testing.assert_close(net(x)[1], body.layer1(body.maxpool(stem)))


def test_a_copy_answers_by_itself_and_norms_keep_their_statistics_where_that_is_wanted() -> None:
    torch.manual_seed(0)
    body = CifarResNet(10, depth=8).body
    kept = tapped(body, adapt_statistics=False)
    before = copy.deepcopy(kept.state_dict())
    other = copy.deepcopy(kept)
    with torch.no_grad():
        for weight in other.parameters():
            weight.zero_()
    x = torch.randn(2, 3, 16, 16)
    assert kept.train()(x)[-1].abs().sum() > 0 and other(x)[-1].abs().sum() == 0
    assert all(torch.equal(value, before[name]) for name, value in kept.state_dict().items())
    follows = tapped(body).train()
    follows(x)
    assert not torch.equal(follows.body.stem.norm.running_mean, before["body.stem.norm.running_mean"])


def test_bodies_without_several_maps_have_no_taps() -> None:
    assert taps_of(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()), 3)[0].reduction == 1
    assert taps_of(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), 3) == ()
    assert taps_of(nn.Sequential(nn.Conv2d(3, 4, 3, stride=3), nn.ReLU()), 3) == ()
