"""Inception v2, v3, v4 and Inception-ResNet v2 as TF-slim lays them out, up to the last map.

v2 is SAME throughout; the stems and reductions of the others are VALID, so that their paddings hold for any input.

Source: tensorflow/models, research/slim/nets: inception_v2.py, inception_v3.py, inception_v4.py,
inception_resnet_v2.py. Ioffe and Szegedy 2015, arXiv:1502.03167; Szegedy et al. 2015, arXiv:1512.00567; 2016,
arXiv:1602.07261.
"""

from functools import partial

from tests.zoo.slim_layers import Layers, Parity, Trunk
from tests.zoo.slim_mixed import AvgPool, Conv, Fork, MaxPool, ScaledResidual, Step, build_named, build_step, fork
from torch import nn

DOWN = partial(Conv, kernel=3, stride=2, valid=True)
DOWN_POOL = MaxPool(2, valid=True)


# ---------------------------------------------------------------- v2


def _v2_mixed(one: int, three: tuple[int, int], double: tuple[int, int], pool: Step, after_pool: int) -> Fork:
    return fork(
        Conv(one),
        (Conv(three[0]), Conv(three[1], 3)),
        (Conv(double[0]), Conv(double[1], 3), Conv(double[1], 3)),
        (pool, Conv(after_pool)),
    )


def _v2_reduction(three: tuple[int, int], double: tuple[int, int]) -> Fork:
    return fork(
        (Conv(three[0]), Conv(three[1], 3, 2)),
        (Conv(double[0]), Conv(double[1], 3), Conv(double[1], 3, 2)),
        MaxPool(2),
    )


V2: tuple[tuple[str, Step], ...] = (
    ("MaxPool_2a_3x3", MaxPool(2)),
    ("Conv2d_2b_1x1", Conv(64)),
    ("Conv2d_2c_3x3", Conv(192, 3)),
    ("MaxPool_3a_3x3", MaxPool(2)),
    ("Mixed_3b", _v2_mixed(64, (64, 64), (64, 96), AvgPool(), 32)),
    ("Mixed_3c", _v2_mixed(64, (64, 96), (64, 96), AvgPool(), 64)),
    ("Mixed_4a", _v2_reduction((128, 160), (64, 96))),
    ("Mixed_4b", _v2_mixed(224, (64, 96), (96, 128), AvgPool(), 128)),
    ("Mixed_4c", _v2_mixed(192, (96, 128), (96, 128), AvgPool(), 128)),
    ("Mixed_4d", _v2_mixed(160, (128, 160), (128, 160), AvgPool(), 96)),
    ("Mixed_4e", _v2_mixed(96, (128, 192), (160, 192), AvgPool(), 96)),
    ("Mixed_5a", _v2_reduction((128, 192), (192, 256))),
    ("Mixed_5b", _v2_mixed(352, (192, 320), (160, 224), AvgPool(), 128)),
    ("Mixed_5c", _v2_mixed(352, (192, 320), (192, 224), MaxPool(1), 128)),
)


def inception_v2(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """The first convolution is separable; needs 32 px on an axis."""
    make = Layers(width, parity)
    depth = make.depth(64)
    spread = 3 * max(1, min(depth // 3, 8))
    bare = nn.Sequential(nn.ZeroPad2d(make.pads(7, 2, valid=False)), nn.Conv2d(3, spread, 7, 2, groups=3, bias=False))
    first = nn.Sequential(bare, make.conv(spread, depth, 1))
    return Trunk([("Conv2d_1a_7x7", first), *build_named(V2, make, depth)])


# ---------------------------------------------------------------- v3

STEM: tuple[tuple[str, Step], ...] = (
    ("Conv2d_1a_3x3", DOWN(32)),
    ("Conv2d_2a_3x3", Conv(32, 3, valid=True)),
    ("Conv2d_2b_3x3", Conv(64, 3)),
    ("MaxPool_3a_3x3", DOWN_POOL),
    ("Conv2d_3b_1x1", Conv(80)),
    ("Conv2d_4a_3x3", Conv(192, 3, valid=True)),
    ("MaxPool_5a_3x3", DOWN_POOL),
)
"""Of v3 and of Inception-ResNet v2."""


def _v3_a(pool: int) -> Fork:
    return fork(Conv(64), (Conv(48), Conv(64, 5)), (Conv(64), Conv(96, 3), Conv(96, 3)), (AvgPool(), Conv(pool)))


def _v3_b(inner: int) -> Fork:
    return fork(
        Conv(192),
        (Conv(inner), Conv(inner, (1, 7)), Conv(192, (7, 1))),
        (Conv(inner), Conv(inner, (7, 1)), Conv(inner, (1, 7)), Conv(inner, (7, 1)), Conv(192, (1, 7))),
        (AvgPool(), Conv(192)),
    )


def _v3_c() -> Fork:
    return fork(
        Conv(320),
        (Conv(384), fork(Conv(384, (1, 3)), Conv(384, (3, 1)))),
        (Conv(448), Conv(384, 3), fork(Conv(384, (1, 3)), Conv(384, (3, 1)))),
        (AvgPool(), Conv(192)),
    )


V3: tuple[tuple[str, Step], ...] = (
    *STEM,
    ("Mixed_5b", _v3_a(32)),
    ("Mixed_5c", _v3_a(64)),
    ("Mixed_5d", _v3_a(64)),
    ("Mixed_6a", fork(DOWN(384), (Conv(64), Conv(96, 3), DOWN(96)), DOWN_POOL)),
    ("Mixed_6b", _v3_b(128)),
    ("Mixed_6c", _v3_b(160)),
    ("Mixed_6d", _v3_b(160)),
    ("Mixed_6e", _v3_b(192)),
    (
        "Mixed_7a",
        fork((Conv(192), DOWN(320)), (Conv(192), Conv(192, (1, 7)), Conv(192, (7, 1)), DOWN(192)), DOWN_POOL),
    ),
    ("Mixed_7b", _v3_c()),
    ("Mixed_7c", _v3_c()),
)


def inception_v3(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Needs 75 px on an axis."""
    return Trunk(build_named(V3, Layers(width, parity)))


# ---------------------------------------------------------------- v4

V4_A = fork(Conv(96), (Conv(64), Conv(96, 3)), (Conv(64), Conv(96, 3), Conv(96, 3)), (AvgPool(), Conv(96)))
V4_B = fork(
    Conv(384),
    (Conv(192), Conv(224, (1, 7)), Conv(256, (7, 1))),
    (Conv(192), Conv(192, (7, 1)), Conv(224, (1, 7)), Conv(224, (7, 1)), Conv(256, (1, 7))),
    (AvgPool(), Conv(128)),
)
V4_C = fork(
    Conv(256),
    (Conv(384), fork(Conv(256, (1, 3)), Conv(256, (3, 1)))),
    (Conv(384), Conv(448, (3, 1)), Conv(512, (1, 3)), fork(Conv(256, (1, 3)), Conv(256, (3, 1)))),
    (AvgPool(), Conv(256)),
)
V4: tuple[tuple[str, Step], ...] = (
    *STEM[:3],
    ("Mixed_3a", fork(DOWN_POOL, DOWN(96))),
    (
        "Mixed_4a",
        fork(
            (Conv(64), Conv(96, 3, valid=True)),
            (Conv(64), Conv(64, (1, 7)), Conv(64, (7, 1)), Conv(96, 3, valid=True)),
        ),
    ),
    ("Mixed_5a", fork(DOWN(192), DOWN_POOL)),
    *((f"Mixed_5{letter}", V4_A) for letter in "bcde"),
    ("Mixed_6a", fork(DOWN(384), (Conv(192), Conv(224, 3), DOWN(256)), DOWN_POOL)),
    *((f"Mixed_6{letter}", V4_B) for letter in "bcdefgh"),
    (
        "Mixed_7a",
        fork((Conv(192), DOWN(192)), (Conv(256), Conv(256, (1, 7)), Conv(320, (7, 1)), DOWN(320)), DOWN_POOL),
    ),
    *((f"Mixed_7{letter}", V4_C) for letter in "bcd"),
)


def inception_v4(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Needs 75 px on an axis."""
    return Trunk(build_named(V4, Layers(width, parity)))


# ---------------------------------------------------------------- Inception-ResNet v2

BLOCK_35 = fork(Conv(32), (Conv(32), Conv(32, 3)), (Conv(32), Conv(48, 3), Conv(64, 3)))
BLOCK_17 = fork(Conv(192), (Conv(128), Conv(160, (1, 7)), Conv(192, (7, 1))))
BLOCK_8 = fork(Conv(192), (Conv(192), Conv(224, (1, 3)), Conv(256, (3, 1))))
RESNET_5B = fork(Conv(96), (Conv(48), Conv(64, 5)), (Conv(64), Conv(96, 3), Conv(96, 3)), (AvgPool(), Conv(64)))
RESNET_6A = fork(DOWN(384), (Conv(256), Conv(256, 3), DOWN(384)), DOWN_POOL)
RESNET_7A = fork((Conv(256), DOWN(384)), (Conv(256), DOWN(288)), (Conv(256), Conv(288, 3), DOWN(320)), DOWN_POOL)
REPEATS = {"35": 10, "17": 20, "8": 9}


def _repeat(block: Fork, count: int, channels: int, scale: float, make: Layers) -> nn.Sequential:
    return nn.Sequential(*(ScaledResidual(block, channels, scale, make) for _ in range(count)))


def inception_resnet_v2(width: float = 1.0, parity: Parity = "even") -> Trunk:
    """Needs 75 px on an axis; the largest field of the table."""
    make = Layers(width, parity)
    mixed_5b, after_5b = build_step(RESNET_5B, make.depth(192), make)
    mixed_6a, after_6a = build_step(RESNET_6A, after_5b, make)
    mixed_7a, after_7a = build_step(RESNET_7A, after_6a, make)
    last = ScaledResidual(BLOCK_8, after_7a, 1.0, make, relu=False)
    stages = [
        *build_named(STEM, make),
        ("Mixed_5b", mixed_5b),
        ("Repeat", _repeat(BLOCK_35, REPEATS["35"], after_5b, 0.17, make)),
        ("Mixed_6a", mixed_6a),
        ("Repeat_1", _repeat(BLOCK_17, REPEATS["17"], after_6a, 0.10, make)),
        ("Mixed_7a", mixed_7a),
        ("Repeat_2", nn.Sequential(*_repeat(BLOCK_8, REPEATS["8"], after_7a, 0.20, make), last)),
        ("Conv2d_7b_1x1", make.conv(after_7a, make.depth(1536), 1)),
    ]
    end_points = {name: name for name, _ in stages if not name.startswith("Repeat")}
    return Trunk(stages, {**end_points, "PreAuxLogits": "Repeat_1"})
