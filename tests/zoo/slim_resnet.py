"""ResNet v1 as TF-slim lays it out: the stride sits in the *last* unit of a block, torchvision has it in the first.

Strided convolutions are `conv2d_same` (pads by hand, the same before and behind), the first pool is SAME: on even maps
it has no pad before, so that the padding is 239 where (483 - 1) / 2 would be 241.

Source: tensorflow/models, research/slim/nets: resnet_v1.py, resnet_utils.py. He et al. 2016, arXiv:1512.03385.
"""

from collections.abc import Sequence

from tests.zoo.slim_layers import Layers, Parity, Trunk
from torch import Tensor, nn

DEPTHS = (64, 128, 256, 512)
UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}


def conv2d_same(before: int, after: int, kernel: int, stride: int) -> nn.Sequential:
    """Pad (k - 1) / 2 on both sides, whatever the stride."""
    conv = nn.Conv2d(before, after, kernel, stride, padding=(kernel - 1) // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


class Bottleneck(nn.Module):
    """1x1, 3x3 with the stride, 1x1, and a shortcut that only picks pixels where the depth stays."""

    def __init__(self, before: int, middle: int, after: int, stride: int, make: Layers) -> None:
        super().__init__()
        self.shortcut: nn.Module
        if before == after:
            self.shortcut = nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()
        else:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        self.conv1 = make.conv(before, middle, 1)
        self.conv2 = conv2d_same(middle, middle, 3, stride)
        self.conv3 = nn.Sequential(nn.Conv2d(middle, after, 1, bias=False), nn.BatchNorm2d(after))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.shortcut(x) + self.conv3(self.conv2(self.conv1(x))))


def resnet_v1(units: Sequence[int], width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Four blocks; needs 32 px on an axis."""
    make = Layers(width, parity)
    before = make.depth(64)
    stages: list[tuple[str, nn.Module]] = [
        ("conv1", conv2d_same(3, before, 7, 2)),
        ("pool1", make.max_pool(3, 2)),
    ]
    for block, (count, depth) in enumerate(zip(units, DEPTHS, strict=True), start=1):
        middle, after = make.depth(depth), 4 * make.depth(depth)
        steps = []
        for unit in range(1, count + 1):
            stride = 2 if unit == count and block < 4 else 1
            steps.append(Bottleneck(before, middle, after, stride, make))
            before = after
        stages.append((f"block{block}", nn.Sequential(*steps)))
    return Trunk(stages)


def resnet_v1_50(width: float = 1.0, parity: Parity = "even") -> Trunk:
    return resnet_v1(UNITS[50], width, parity)


def resnet_v1_101(width: float = 1.0, parity: Parity = "even") -> Trunk:
    return resnet_v1(UNITS[101], width, parity)


def resnet_v1_152(width: float = 1.0, parity: Parity = "even") -> Trunk:
    return resnet_v1(UNITS[152], width, parity)


def resnet_v1_200(width: float = 1.0, parity: Parity = "even") -> Trunk:
    return resnet_v1(UNITS[200], width, parity)
