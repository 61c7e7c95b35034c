"""AlexNet, VGG and MobileNet v1 as TF-slim lays them out, up to the last map.

Source: tensorflow/models, research/slim/nets: alexnet.py, vgg.py, mobilenet_v1.py. Krizhevsky 2014, arXiv:1404.5997;
Simonyan and Zisserman 2015, arXiv:1409.1556; Howard et al. 2017, arXiv:1704.04861.
"""

from collections.abc import Sequence

from tests.zoo.slim_layers import Layers, Parity, Trunk
from torch import nn

VGG_A = (1, 1, 2, 2, 2)
VGG_16 = (2, 2, 3, 3, 3)
VGG_DEPTHS = (64, 128, 256, 512, 512)
MOBILENET = (  # channels and stride of each depthwise-separable step
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)


def alexnet_v2(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """The first convolution and the pools are VALID; needs 67 px on an axis."""
    make = Layers(width, parity, norm=False)
    depths = [make.depth(depth) for depth in (64, 192, 384, 384, 256)]
    return Trunk(
        [
            ("conv1", make.conv(3, depths[0], 11, 4, valid=True)),
            ("pool1", make.max_pool(3, 2, valid=True)),
            ("conv2", make.conv(depths[0], depths[1], 5)),
            ("pool2", make.max_pool(3, 2, valid=True)),
            ("conv3", make.conv(depths[1], depths[2], 3)),
            ("conv4", make.conv(depths[2], depths[3], 3)),
            ("conv5", make.conv(depths[3], depths[4], 3)),
            ("pool5", make.max_pool(3, 2, valid=True)),
        ]
    )


def vgg(counts: Sequence[int], width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Blocks of 3x3 convolutions with a 2x2 pool behind each; needs 32 px on an axis."""
    make = Layers(width, parity, norm=False)
    stages: list[tuple[str, nn.Module]] = []
    before = 3
    for block, (count, depth) in enumerate(zip(counts, VGG_DEPTHS, strict=True), start=1):
        for step in range(1, count + 1):
            stages.append((f"conv{block}_{step}", make.conv(before, make.depth(depth), 3)))
            before = make.depth(depth)
        stages.append((f"pool{block}", make.max_pool(2, 2, valid=True)))
    return Trunk(stages)


def vgg_a(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Eight convolutions (VGG-11)."""
    return vgg(VGG_A, width, parity)


def vgg_16(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Thirteen convolutions."""
    return vgg(VGG_16, width, parity)


def mobilenet_v1(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Depthwise-separable steps, everything SAME; needs 32 px on an axis."""
    make = Layers(width, parity, relu=nn.ReLU6)
    before = make.depth(32)
    stages: list[tuple[str, nn.Module]] = [("Conv2d_0", make.conv(3, before, 3, 2))]
    for index, (depth, stride) in enumerate(MOBILENET, start=1):
        stages.append((f"Conv2d_{index}_depthwise", make.conv(before, before, 3, stride, groups=before)))
        stages.append((f"Conv2d_{index}_pointwise", make.conv(before, make.depth(depth), 1)))
        before = make.depth(depth)
    return Trunk(stages)


def mobilenet_v1_075(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Three quarters of the channels."""
    return mobilenet_v1(0.75 * width, parity)
