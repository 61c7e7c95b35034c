"""FC011 to FC016, FC028: where maps shrink, how wide and how deep it gets, what comes back up."""

from itertools import pairwise

import pytest
import torch
from tests.tips.rules.seen import UNKNOWN, findings, only
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.models.segmentation import deeplabv3_resnet50

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.records.finding import Severity
from fieldcraft.tips.rules import (
    deep_without_residuals,
    depthwise_candidate,
    downsampling_too_early,
    downsampling_too_late,
    narrow_downsampling,
    no_skip_to_decoder,
    saturating_activations,
)


def plain(*channels: int, strides: tuple[int, ...] = (), head: bool = True) -> nn.Sequential:
    """3x3 convolutions with rectifiers, then global pooling."""
    steps: list[nn.Module] = []
    for place, (before, after) in enumerate(pairwise(channels)):
        stride = strides[place] if place < len(strides) else 1
        steps += [nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.ReLU()]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels[-1], 10)] if head else []
    return nn.Sequential(*steps, *last)


def vision(name: str) -> nn.Module:
    with torch.device("meta"):
        return get_model(name)


class Cifar(nn.Module):
    """ResNet-18 with the stem for small images."""

    def __init__(self) -> None:
        super().__init__()
        self.net = vision("resnet18")
        self.net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False, device="meta")
        self.net.maxpool = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Decoder(nn.Module):
    """An encoder and decoder over `depth` halvings, with skips or without."""

    def __init__(self, depth: int, skip: bool, outputs: int = 2) -> None:
        super().__init__()
        self.skip = skip
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(8, 8, 3, stride=2, padding=1) for _ in range(depth))
        self.up = nn.ModuleList(nn.ConvTranspose2d(8, 8, 2, stride=2) for _ in range(depth))
        self.last = nn.Conv2d(8, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = []
        x = self.first(x)
        for step in self.down:
            fine.append(x)
            x = step(x)
        for step in self.up:
            x = step(x)
            x = x + fine.pop() if self.skip else x
        return self.last(x)


class Gates(nn.Module):
    """Sigmoid gates, one after another: none of them is a hidden activation."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.ModuleList(nn.Linear(8, 16) for _ in range(5))

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            value, gate = step(x).chunk(2, -1)
            x = torch.tanh(value) * torch.sigmoid(gate)
        return x


def test_an_imagenet_stem_on_small_images():
    found = only(downsampling_too_early.RULE, vision("resnet18"), (3, 32, 32))
    assert found.numbers["map"] == 8  # conv1 and max-pool: 32 / 4
    assert "layer4.1.conv2" in found.layers


@pytest.mark.parametrize(
    ("net", "shape"), [(vision("resnet18"), (3, 224, 224)), (Cifar(), (3, 32, 32)), (vision("vgg11"), (3, 224, 224))]
)
def test_downsampling_in_time(net: nn.Module, shape: tuple[int, ...]):
    assert not findings(downsampling_too_early.RULE, net, shape)
    assert not findings(downsampling_too_late.RULE, net, shape)


def test_all_at_full_resolution():
    found = only(downsampling_too_late.RULE, plain(3, 16, 16, 16, 16), (3, 128, 128))
    assert found.numbers["macs_share"] == pytest.approx(1, abs=1e-3)
    assert found.severity is Severity.WARNING


def test_full_resolution_is_right_for_small_images_and_for_maps():
    assert not findings(downsampling_too_late.RULE, plain(3, 16, 16, 16, 16), (3, 32, 32))
    assert not findings(downsampling_too_late.RULE, plain(3, 16, 16, 16, 16, head=False), (3, 128, 128))


def test_a_map_that_shrinks_along_two_of_three_axes_is_no_longer_full():
    with torch.device("meta"):
        net = get_model("r3d_18")
    assert not findings(downsampling_too_late.RULE, net, (3, 16, 112, 112))


def test_channels_that_do_not_grow():
    found = only(narrow_downsampling.RULE, plain(3, 32, 32, 32, 32, strides=(1, 2, 2, 2)), (3, 64, 64))
    assert found.numbers == {"halvings": 3, "channels": 32, "channels_after": 32, "left": 1 / 4**3}


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "mobilenet_v2", "densenet121", "squeezenet1_1"])
def test_channels_that_grow(name: str):
    assert not findings(narrow_downsampling.RULE, vision(name), (3, 224, 224))


def test_wide_networks_may_stop_growing():
    net = plain(3, 256, 256, 256, 256, strides=(1, 2, 2, 2))
    assert not findings(narrow_downsampling.RULE, net, (3, 64, 64))


def test_a_decoder_without_skips():
    found = only(no_skip_to_decoder.RULE, Decoder(3, skip=False), (1, 64, 64))
    assert found.numbers["downsampling"] == 8
    assert found.layers == ("up.0",)
    assert found.severity is Severity.WARNING


def test_an_autoencoder_is_information():
    found = only(no_skip_to_decoder.RULE, Decoder(3, skip=False, outputs=1), (1, 64, 64))
    assert found.severity is Severity.INFO


def test_decoders_that_need_none():
    assert not findings(no_skip_to_decoder.RULE, Decoder(3, skip=True), (1, 64, 64))
    assert not findings(no_skip_to_decoder.RULE, Decoder(2, skip=False), (1, 64, 64))  # little is lost
    with torch.device("meta"):
        dilated = deeplabv3_resnet50(weights_backbone=None)
    assert not findings(no_skip_to_decoder.RULE, dilated, (3, 224, 224))


def test_deep_and_plain():
    found = only(deep_without_residuals.RULE, plain(3, *[8] * 30), (3, 16, 16))
    assert found.numbers["layers"] == 31  # 30 convolutions and the last linear layer
    assert len(found.layers) == 31


@pytest.mark.parametrize("name", ["vgg19", "resnet152", "densenet201", "inception_v3", "mobilenet_v3_small"])
def test_deep_with_ways_around_or_not_that_deep(name: str):
    shape = (3, 299, 299) if name == "inception_v3" else (3, 224, 224)
    with torch.device("meta"):
        net = get_model(name, init_weights=False) if name == "inception_v3" else get_model(name)
    chain = deep_without_residuals.longest_chain(look(net, as_inputs(shape)))
    assert len(chain) <= deep_without_residuals.MOST
    if name == "vgg19":
        assert len(chain) == 19


@pytest.mark.parametrize(("kind", "slope"), [(nn.Sigmoid, 0.25**4), (nn.Tanh, 1.0)])
def test_activations_that_level_off(kind: type[nn.Module], slope: float):
    net = nn.Sequential(*[layer for _ in range(4) for layer in (nn.Linear(8, 8), kind())], nn.Linear(8, 2))
    found = only(saturating_activations.RULE, net, (8,))
    assert found.numbers == {"activations": 4, "in_a_row": 4, "slope": slope}


@pytest.mark.parametrize(
    "net",
    [
        Gates(),
        nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid()),
        nn.Sequential(*[layer for _ in range(4) for layer in (nn.Linear(8, 8), nn.ReLU6())]),
        nn.Sequential(*[layer for _ in range(4) for layer in (nn.Linear(8, 8), nn.GELU(approximate="tanh"))]),
    ],
)
def test_gates_outputs_and_two_are_left_alone(net: nn.Module):
    assert not findings(saturating_activations.RULE, net, (8,))


def test_squeeze_excitation_is_no_hidden_activation():
    assert not findings(saturating_activations.RULE, vision("efficientnet_b0"), (3, 224, 224))


def test_depthwise_would_save_what_howard_says():
    net = plain(64, 64, 64, head=False)
    found = only(depthwise_candidate.RULE, net, (64, 16, 16))
    assert found.severity is Severity.INFO
    assert found.numbers["macs"] == 2 * 9 * 64 * 64 * 16 * 16
    assert found.numbers["macs_after"] == pytest.approx(found.numbers["macs"] * (1 / 64 + 1 / 9))


@pytest.mark.parametrize("name", ["mobilenet_v2", "convnext_tiny", "vit_b_16"])
def test_networks_that_are_separable_already(name: str):
    assert not list(depthwise_candidate.check(look(vision(name), as_inputs((3, 224, 224))), UNKNOWN))
