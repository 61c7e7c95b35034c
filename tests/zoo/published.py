"""What was published about the nets of the zoo.

Source: Araujo, Norris and Sim 2019, Computing receptive fields of convolutional neural networks, Distill
(10.23915/distill.00021); README.md and receptive_field/RECEPTIVE_FIELD_TABLE.md of google-research/receptive_field.
The README's table is for unspecified input or, where SAME depends on it, for 224 px.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """Pixels of the input; `padding` is the effective one, in front."""

    rf: int
    stride: int
    padding: int


TABLE: dict[str, Published] = {
    "alexnet_v2": Published(195, 32, 64),
    "vgg_16": Published(212, 32, 90),
    "inception_v2": Published(699, 32, 318),
    "inception_v3": Published(1311, 32, 618),
    "inception_v4": Published(2071, 32, 998),
    "inception_resnet_v2": Published(3039, 32, 1482),
    "mobilenet_v1": Published(315, 32, 126),
    "mobilenet_v1_075": Published(315, 32, 126),
    "resnet_v1_50": Published(483, 32, 239),
    "resnet_v1_101": Published(1027, 32, 511),
    "resnet_v1_152": Published(1507, 32, 751),
    "resnet_v1_200": Published(1763, 32, 879),
}
"""The twelve rows of the README (224 px: even maps)."""

GFLOPS: dict[str, float] = {
    "alexnet_v2": 1.38,
    "vgg_16": 30.71,
    "inception_v2": 3.88,
    "inception_v3": 5.69,
    "inception_v4": 12.27,
    "inception_resnet_v2": 12.96,
    "mobilenet_v1": 1.14,
    "mobilenet_v1_075": 0.65,
    "resnet_v1_50": 6.96,
    "resnet_v1_101": 14.39,
    "resnet_v1_152": 21.81,
    "resnet_v1_200": 28.80,
}
"""Twice the multiply-adds, 224 px, in units of 1e9; norms, pools and activations are in it."""

_MOBILENET = {
    "Conv2d_0": Published(3, 2, 0),
    "Conv2d_1_pointwise": Published(7, 2, 2),
    "Conv2d_2_pointwise": Published(11, 4, 2),
    "Conv2d_3_pointwise": Published(19, 4, 6),
    "Conv2d_4_pointwise": Published(27, 8, 6),
    "Conv2d_5_pointwise": Published(43, 8, 14),
    "Conv2d_6_pointwise": Published(59, 16, 14),
    "Conv2d_7_pointwise": Published(91, 16, 30),
    "Conv2d_8_pointwise": Published(123, 16, 46),
    "Conv2d_9_pointwise": Published(155, 16, 62),
    "Conv2d_10_pointwise": Published(187, 16, 78),
    "Conv2d_11_pointwise": Published(219, 16, 94),
    "Conv2d_12_pointwise": Published(251, 32, 94),
    "Conv2d_13_pointwise": Published(315, 32, 126),
}

END_POINTS: dict[str, dict[str, Published]] = {
    "alexnet_v2": {
        "conv1": Published(11, 4, 0),
        "pool1": Published(19, 8, 0),
        "conv2": Published(51, 8, 16),
        "conv3": Published(99, 16, 32),
        "conv4": Published(131, 16, 48),
        "conv5": Published(163, 16, 64),
        "pool5": Published(195, 32, 64),
    },
    "vgg_a": {
        "conv1_1": Published(3, 1, 1),
        "pool1": Published(4, 2, 1),
        "conv2_1": Published(8, 2, 3),
        "pool2": Published(10, 4, 3),
        "conv3_1": Published(18, 4, 7),
        "conv3_2": Published(26, 4, 11),
        "pool3": Published(30, 8, 11),
        "conv4_1": Published(46, 8, 19),
        "conv4_2": Published(62, 8, 27),
        "pool4": Published(70, 16, 27),
        "conv5_1": Published(102, 16, 43),
        "conv5_2": Published(134, 16, 59),
        "pool5": Published(150, 32, 59),
    },
    "vgg_16": {
        "conv1_1": Published(3, 1, 1),
        "pool1": Published(6, 2, 2),
        "conv2_1": Published(10, 2, 4),
        "pool2": Published(16, 4, 6),
        "conv3_1": Published(24, 4, 10),
        "conv3_2": Published(32, 4, 14),
        "pool3": Published(44, 8, 18),
        "conv4_1": Published(60, 8, 26),
        "conv4_2": Published(76, 8, 34),
        "pool4": Published(100, 16, 42),
        "conv5_1": Published(132, 16, 58),
        "conv5_2": Published(164, 16, 74),
        "pool5": Published(212, 32, 90),
    },
    "inception_v2": {
        "Conv2d_1a_7x7": Published(7, 2, 2),
        "MaxPool_2a_3x3": Published(11, 4, 2),
        "Conv2d_2b_1x1": Published(11, 4, 2),
        "Conv2d_2c_3x3": Published(19, 4, 6),
        "MaxPool_3a_3x3": Published(27, 8, 6),
        "Mixed_3b": Published(59, 8, 22),
        "Mixed_3c": Published(91, 8, 38),
        "Mixed_4a": Published(123, 16, 46),
        "Mixed_4b": Published(187, 16, 78),
        "Mixed_4c": Published(251, 16, 110),
        "Mixed_4d": Published(315, 16, 142),
        "Mixed_4e": Published(379, 16, 174),
        "Mixed_5a": Published(443, 32, 190),
        "Mixed_5b": Published(571, 32, 254),
        "Mixed_5c": Published(699, 32, 318),
    },
    "inception_v3": {
        "Conv2d_1a_3x3": Published(3, 2, 0),
        "Conv2d_2a_3x3": Published(7, 2, 0),
        "Conv2d_2b_3x3": Published(11, 2, 2),
        "MaxPool_3a_3x3": Published(15, 4, 2),
        "Conv2d_3b_1x1": Published(15, 4, 2),
        "Conv2d_4a_3x3": Published(23, 4, 2),
        "MaxPool_5a_3x3": Published(31, 8, 2),
        "Mixed_5b": Published(63, 8, 18),
        "Mixed_5c": Published(95, 8, 34),
        "Mixed_5d": Published(127, 8, 50),
        "Mixed_6a": Published(159, 16, 58),
        "Mixed_6b": Published(351, 16, 154),
        "Mixed_6c": Published(543, 16, 250),
        "Mixed_6d": Published(735, 16, 346),
        "Mixed_6e": Published(927, 16, 442),
        "Mixed_7a": Published(1055, 32, 490),
        "Mixed_7b": Published(1183, 32, 554),
        "Mixed_7c": Published(1311, 32, 618),
    },
    "inception_v4": {
        "Conv2d_1a_3x3": Published(3, 2, 0),
        "Conv2d_2a_3x3": Published(7, 2, 0),
        "Conv2d_2b_3x3": Published(11, 2, 2),
        "Mixed_3a": Published(15, 4, 2),
        "Mixed_4a": Published(47, 4, 14),
        "Mixed_5a": Published(55, 8, 14),
        "Mixed_5b": Published(87, 8, 30),
        "Mixed_5c": Published(119, 8, 46),
        "Mixed_5d": Published(151, 8, 62),
        "Mixed_5e": Published(183, 8, 78),
        "Mixed_6a": Published(215, 16, 86),
        "Mixed_6b": Published(407, 16, 182),
        "Mixed_6c": Published(599, 16, 278),
        "Mixed_6d": Published(791, 16, 374),
        "Mixed_6e": Published(983, 16, 470),
        "Mixed_6f": Published(1175, 16, 566),
        "Mixed_6g": Published(1367, 16, 662),
        "Mixed_6h": Published(1559, 16, 758),
        "Mixed_7a": Published(1687, 32, 806),
        "Mixed_7b": Published(1815, 32, 870),
        "Mixed_7c": Published(1943, 32, 934),
        "Mixed_7d": Published(2071, 32, 998),
    },
    "inception_resnet_v2": {
        "Conv2d_1a_3x3": Published(3, 2, 0),
        "Conv2d_2a_3x3": Published(7, 2, 0),
        "Conv2d_2b_3x3": Published(11, 2, 2),
        "MaxPool_3a_3x3": Published(15, 4, 2),
        "Conv2d_3b_1x1": Published(15, 4, 2),
        "Conv2d_4a_3x3": Published(23, 4, 2),
        "MaxPool_5a_3x3": Published(31, 8, 2),
        "Mixed_5b": Published(63, 8, 18),
        "Mixed_6a": Published(415, 16, 186),
        "PreAuxLogits": Published(2335, 16, 1146),
        "Mixed_7a": Published(2399, 32, 1162),
        "Conv2d_7b_1x1": Published(3039, 32, 1482),
    },
    "mobilenet_v1": _MOBILENET,
    "mobilenet_v1_075": _MOBILENET,
    "resnet_v1_50": {
        "block1": Published(35, 8, 15),
        "block2": Published(99, 16, 47),
        "block3": Published(291, 32, 143),
        "block4": Published(483, 32, 239),
    },
    "resnet_v1_101": {
        "block1": Published(35, 8, 15),
        "block2": Published(99, 16, 47),
        "block3": Published(835, 32, 415),
        "block4": Published(1027, 32, 511),
    },
    "resnet_v1_152": {
        "block1": Published(35, 8, 15),
        "block2": Published(163, 16, 79),
        "block3": Published(1315, 32, 655),
        "block4": Published(1507, 32, 751),
    },
    "resnet_v1_200": {
        "block1": Published(35, 8, 15),
        "block2": Published(419, 16, 207),
        "block3": Published(1571, 32, 783),
        "block4": Published(1763, 32, 879),
    },
}
"""At 224 px (even maps); names are those of TF-slim without the scopes."""

PADDINGS_321: dict[str, int] = {
    "alexnet_v2": 64,
    "vgg_a": 59,
    "vgg_16": 90,
    "inception_v2": 349,
    "inception_v3": 618,
    "inception_v4": 998,
    "inception_resnet_v2": 1482,
    "mobilenet_v1": 157,
    "mobilenet_v1_075": 157,
    "resnet_v1_50": 241,
    "resnet_v1_101": 513,
    "resnet_v1_152": 753,
    "resnet_v1_200": 881,
}
"""At 321 px (odd maps); fields and strides are those of TABLE."""

RESNET_V1_50_BLOCK_GFLOPS = {"block1": 1.323, "block2": 2.974, "block3": 5.498, "block4": 6.963}

INCEPTION_RESNET_V2_FEATURE = ((0, 2), (37, 101))
"""A unit of the last map and the centre of what it sees, as the README works it out."""

TORCHVISION: dict[str, int] = {
    "resnet18": 435,
    "resnet34": 899,
    "resnet50": 427,
    "resnet101": 971,
    "resnet152": 1451,
}
"""Fields with the stride in the first unit of a stage, by arithmetic; 427 is also in MLRichter's rfa_toolbox."""

TORCHVISION_PADDINGS: dict[str, int] = {"resnet50": 213, "alexnet": 66, "vgg16": 90}
"""With PyTorch's symmetric pads, by arithmetic."""

DEEPMEDIC = {"normal": 17, "low": 51}
"""Voxels seen by the two pathways. Source: Kamnitsas et al. 2017, Medical Image Analysis 36, figure 5."""
