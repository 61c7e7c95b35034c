"""FC009, FC010, FC035: what the fields say about objects, layers and inputs."""

from dataclasses import replace

import pytest
import torch
from tests.tips.rules.seen import UNKNOWN, findings, only
from torch import nn
from torchvision.models import get_model

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Severity
from fieldcraft.tips.rule import Circumstances
from fieldcraft.tips.rules import field_smaller_than_input, field_smaller_than_objects, unproductive_layers


def plain(convolutions: int, *, flat_side: int = 0) -> nn.Sequential:
    """3x3 convolutions, each 2 px more of field, then global pooling or a linear layer of the flattened map."""
    steps: list[nn.Module] = [nn.Conv2d(3 if not place else 8, 8, 3, padding=1) for place in range(convolutions)]
    pooled: list[nn.Module] = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)]
    return nn.Sequential(*steps, *([nn.Flatten(), nn.Linear(8 * flat_side**2, 2)] if flat_side else pooled))


def vision(name: str) -> nn.Module:
    with torch.device("meta"):
        return get_model(name)


def with_least(anatomy: Anatomy, least: int) -> Anatomy:
    """The same net, as if every row had that least field."""

    def changed(row):
        return tuple(replace(one, axes=tuple(replace(axis, least=least) for axis in one.axes)) for one in row.fields)

    return replace(anatomy, rows=tuple(replace(row, fields=changed(row)) for row in anatomy.rows))


def test_objects_larger_than_the_field():
    found = only(field_smaller_than_objects.RULE, plain(3), (3, 64, 64), Circumstances(objects_px=(20.0, 40.0)))
    assert found.numbers == {"field_px": 7, "objects_px": 40, "ratio": 7 / 40}
    assert found.layers == ("2",)


@pytest.mark.parametrize(
    ("net", "shape", "objects"),
    [
        (plain(3), (3, 64, 64), (7.0,)),
        (plain(3), (3, 64, 64), None),
        (plain(3, flat_side=16), (3, 16, 16), (12.0,)),  # the linear layer sees all of the map
        (vision("resnet18"), (3, 224, 224), (200.0, 200.0)),
        (vision("vit_b_16"), (3, 224, 224), (200.0, 200.0)),
    ],
)
def test_objects_that_are_seen(net: nn.Module, shape: tuple[int, ...], objects: tuple[float, ...] | None):
    assert not findings(field_smaller_than_objects.RULE, net, shape, Circumstances(objects_px=objects))


def test_vgg19_on_small_images():
    """By hand, before each convolution: 1 3 | 6 10 | 16 24 32 40 | ...: the third of stage 3 begins with 32 px."""
    found = only(unproductive_layers.RULE, vision("vgg19"), (3, 32, 32))
    assert found.severity is Severity.WARNING
    assert found.layers[0] == "features.14"
    assert found.numbers["layers"] == 16 - 6
    assert (
        found.numbers["useful_from_px"] == 220 + 1
    )  # 252 px are seen after the last convolution, 32 px fewer before it


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "densenet121", "mobilenet_v2"])
def test_layers_that_have_something_to_see(name: str):
    assert not findings(unproductive_layers.RULE, vision(name), (3, 224, 224))


def test_the_least_field_decides():
    anatomy = look(plain(4), as_inputs((3, 16, 16)))
    assert not list(unproductive_layers.check(with_least(anatomy, 15), UNKNOWN))
    (found,) = unproductive_layers.check(with_least(anatomy, 16), UNKNOWN)
    assert found.layers == ("1", "2", "3")  # the first one reads the input itself
    assert found.numbers["useful_from_px"] == 17


def test_a_bag_of_small_patches():
    found = only(field_smaller_than_input.RULE, plain(3), (3, 32, 32))
    assert found.numbers == {"field_px": 7, "input_px": 32, "ratio": 7 / 32}
    assert found.severity is Severity.INFO


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (plain(8), (3, 32, 32)),  # 17 of 32 px
        (plain(3, flat_side=32), (3, 32, 32)),
        (plain(3)[:3], (3, 32, 32)),  # gives a map
        (vision("resnet18"), (3, 224, 224)),
        (vision("vit_b_16"), (3, 224, 224)),
        (vision("swin_t"), (3, 224, 224)),
    ],
)
def test_fields_that_are_large_enough_or_need_not_be(net: nn.Module, shape: tuple[int, ...]):
    assert not findings(field_smaller_than_input.RULE, net, shape)
