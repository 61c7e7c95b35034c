"""Nets with numbers in their norms and biases that a wrong rewrite would get wrong."""

import timm
import torch
import torchvision.models as zoo
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from fieldcraft.nn.networks.staged import Cnn, ResNet

SIZE = (3, 32, 32)
NETS = {
    "resnet18": lambda: zoo.resnet18(num_classes=10),
    "mobilenet_v2": lambda: zoo.mobilenet_v2(num_classes=10, width_mult=0.35),
    "densenet": lambda: zoo.DenseNet(growth_rate=8, block_config=(2, 2), num_init_features=16, num_classes=10),
    "googlenet": lambda: zoo.googlenet(num_classes=10, aux_logits=False, init_weights=False),
    "timm test_resnet": lambda: timm.create_model("test_resnet", num_classes=10),
    "timm test_efficientnet": lambda: timm.create_model("test_efficientnet", num_classes=10),
    "Cnn": lambda: Cnn(SIZE, 10, widths=(8, 12)),
    "ResNet": lambda: ResNet(SIZE, 10, widths=(8, 12), depths=(1, 1)),
}


def shaken(net: nn.Module, seed: int, *, biases: bool = True) -> nn.Module:
    """Random statistics and affine weights; a random bias for every convolution."""
    generator = torch.Generator().manual_seed(seed)
    for layer in net.modules():
        if isinstance(layer, _ConvNd) and biases and layer.bias is None:
            layer.bias = nn.Parameter(torch.empty(layer.out_channels).normal_(generator=generator))
        if isinstance(layer, _BatchNorm | nn.InstanceNorm2d) and layer.running_mean is not None:
            layer.running_mean.normal_(generator=generator)
            layer.running_var.uniform_(0.5, 2, generator=generator)
        if isinstance(layer, _BatchNorm | nn.GroupNorm) and layer.weight is not None:
            with torch.no_grad():
                layer.weight.uniform_(0.5, 1.5, generator=generator)
                layer.bias.normal_(generator=generator)
    return net.eval()


def images(seed: int, *shape: int) -> torch.Tensor:
    return torch.empty(shape or (4, *SIZE)).normal_(generator=torch.Generator().manual_seed(seed))
