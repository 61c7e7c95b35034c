"""Checkpoints that others published for networks that are built here: what their tensors are called in ours.

Each is tried on every file; it fits when every tensor of its network below the head is there with the right shape.
The page "start from pretrained weights" of the documentation lists them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from fieldcraft.nn.networks.cifar_resnet import CifarResNet
from fieldcraft.nn.networks.squeezenet import SqueezeNet
from fieldcraft.records.weights import Family, Wants


@dataclass(frozen=True, kw_only=True)
class Published:
    """One network of ours, and how a published checkpoint of it is read."""

    family: Family
    model: str
    build: Callable[[int, int], nn.Module]
    """(outputs, channels) -> the network, its tensors below the head under `body.`, its head under `classifier.`."""
    ours: Callable[[str], str]
    """What a tensor of the checkpoint is called in the network; names of ours stay."""
    wants: Wants
    note: str = ""


def _cifar(depth: int) -> Published:
    return Published(
        family="cifar-resnet",
        model=str(depth),
        build=lambda outputs, channels: CifarResNet(outputs, depth=depth, channels=channels),
        ours=akamaster,
        wants=Wants(
            height=32, width=32, order="rgb", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), full_scale=1.0
        ),
        note="as published, trained on all 50,000 training images of CIFAR-10: results on CIFAR-10 would mean nothing",
    )


def akamaster(name: str) -> str:
    """Of github.com/akamaster/pytorch_resnet_cifar10: `layer2.0.bn1.weight` -> `body.stage2_block1.norm1.weight`."""
    if found := re.fullmatch(r"layer(\d)\.(\d+)\.(conv|bn)(\d)\.(\w+)", name):
        stage, block, kind, number, rest = found.groups()
        return f"body.stage{stage}_block{int(block) + 1}.{_norm(kind)}{number}.{rest}"
    if found := re.fullmatch(r"(conv|bn)1\.(\w+)", name):
        return f"body.stem.{_norm(found[1])}.{found[2]}"
    return re.sub(r"^linear\.", "classifier.", name)


def _norm(kind: str) -> str:
    return "norm" if kind == "bn" else kind


FIRE_LAYERS = {"conv1x1_1": "squeeze", "conv1x1_2": "expand1", "conv3x3_2": "expand3"}


def deep_compression(name: str) -> str:
    """Of the SqueezeNet of Deep Compression, decoded: `fire2/conv1x1_1.weight` -> `body.fire2.squeeze.weight`."""
    if found := re.fullmatch(r"(fire\d)/(\w+)\.(\w+)", name):
        block, layer, rest = found.groups()
        return f"body.{block}.{FIRE_LAYERS.get(layer, layer)}.{rest}"
    if name.startswith("conv1."):
        return f"body.{name}"
    return re.sub(r"^conv_final\.", "classifier.", name)


SQUEEZENET = Published(
    family="squeezenet",
    model="1.0",
    build=lambda outputs, channels: SqueezeNet(outputs, channels=channels, rectified=True),
    ours=deep_compression,
    wants=Wants(height=227, width=227, order="bgr", mean=(104.0, 117.0, 123.0), std=(1.0,) * 3, full_scale=255.0),
    note="as published, trained on ImageNet",
)
PUBLISHED: tuple[Published, ...] = (*(_cifar(depth) for depth in (20, 32, 44, 56, 110)), SQUEEZENET)
