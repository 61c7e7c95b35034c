"""The twelve nets of table C1 (and vgg_a), by the names of TF-slim; all take `width` and `parity`."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.zoo import slim_inception, slim_plain, slim_resnet
from tests.zoo.slim_layers import Trunk


@dataclass(frozen=True, slots=True)
class SlimNet:
    build: Callable[..., Trunk]
    """Takes `width`, a multiplier of the channels (the structure stays), and `parity`, the maps that SAME is for."""
    narrow: int
    """Pixels that an axis needs at least for the last map to have one."""


NETS: dict[str, SlimNet] = {
    "alexnet_v2": SlimNet(slim_plain.alexnet_v2, 67),
    "vgg_a": SlimNet(slim_plain.vgg_a, 32),
    "vgg_16": SlimNet(slim_plain.vgg_16, 32),
    "inception_v2": SlimNet(slim_inception.inception_v2, 32),
    "inception_v3": SlimNet(slim_inception.inception_v3, 75),
    "inception_v4": SlimNet(slim_inception.inception_v4, 75),
    "inception_resnet_v2": SlimNet(slim_inception.inception_resnet_v2, 75),
    "mobilenet_v1": SlimNet(slim_plain.mobilenet_v1, 32),
    "mobilenet_v1_075": SlimNet(slim_plain.mobilenet_v1_075, 32),
    "resnet_v1_50": SlimNet(slim_resnet.resnet_v1_50, 32),
    "resnet_v1_101": SlimNet(slim_resnet.resnet_v1_101, 32),
    "resnet_v1_152": SlimNet(slim_resnet.resnet_v1_152, 32),
    "resnet_v1_200": SlimNet(slim_resnet.resnet_v1_200, 32),
}
