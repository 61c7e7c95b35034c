"""Nets that many people have trained well give no warning of these rules, or only the one that is known."""

import pytest
import torch
import torchvision
from tests.tips.rules.seen import UNKNOWN
from torchvision.models import get_model

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.records.finding import Severity
from fieldcraft.tips.rules import (
    aliasing_max_pool,
    batch_norm_tiny_batch,
    bias_before_norm,
    checkerboard,
    double_precision,
    dropout_before_batch_norm,
    even_kernel_shifts,
    foldable_norm,
    large_kernel,
    linear_chain,
    norm_after_activation,
    odd_channel_count,
    shared_parameters,
    shrinking_borders,
    softmax_before_loss,
    two_activations_in_a_row,
    two_norms_in_a_row,
    unused_parameters,
)

RULES = [
    module.RULE
    for module in (
        bias_before_norm,
        norm_after_activation,
        two_norms_in_a_row,
        two_activations_in_a_row,
        softmax_before_loss,
        shrinking_borders,
        even_kernel_shifts,
        large_kernel,
        checkerboard,
        aliasing_max_pool,
        batch_norm_tiny_batch,
        dropout_before_batch_norm,
        unused_parameters,
        shared_parameters,
        double_precision,
        odd_channel_count,
        foldable_norm,
        linear_chain,
    )
]
KNOWN = {"vgg11_bn": {"FC001"}}  # its convolutions do have a bias before batch norm
NETS = (
    "resnet18",
    "resnet50",
    "convnext_tiny",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "regnet_y_400mf",
    "densenet121",
    "googlenet",
    "shufflenet_v2_x1_0",
    "swin_t",
    "vgg11_bn",
    "vit_b_16",
)


@pytest.mark.filterwarnings("ignore:The default weight initialization of GoogleNet:FutureWarning")
@pytest.mark.parametrize("name", NETS)
def test_no_warning(name: str):
    net = get_model(name)
    anatomy = look(net, as_inputs((3, 224, 224)))
    found = [finding for rule in RULES for finding in rule.check(anatomy, UNKNOWN)]
    assert {one.code for one in found if one.severity != Severity.INFO} == KNOWN.get(name, set()), found


def test_the_known_one_is_right():
    net = torchvision.models.vgg11_bn()
    assert isinstance(net.features[1], torch.nn.BatchNorm2d)
    assert net.features[0].bias is not None
