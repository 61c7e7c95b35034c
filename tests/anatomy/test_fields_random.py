"""Random networks of every kind of layer, along one, two and three dimensions: arithmetic beside gradients."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.anatomy.field_truth import compared
from torch import Tensor, nn

CHANNELS = 4
LONGEST = 22
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
MEANS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
MAXIMA = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
MODES = ("linear", "bilinear", "trilinear")


@dataclass(frozen=True)
class Step:
    """A kind of layer and small whole numbers that say which; the long axis is the last one."""

    kind: str
    a: int
    b: int
    c: int


class Random(nn.Module):
    """Each step reads one of the maps before it; a join takes the last two."""

    def __init__(self, axes: int, steps: list[Step]) -> None:
        super().__init__()
        self.axes, self.plan = axes, steps
        self.first = CONVOLUTIONS[axes - 1](1, CHANNELS, 1)
        self.layers = nn.ModuleList(_layer(axes, step) for step in steps)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.first(x)]
        for step, layer in zip(self.plan, self.layers, strict=True):
            made = _applied(self.axes, step, layer, maps)
            if made.shape[-1] > 0 and made.shape[-1] <= 4 * LONGEST:
                maps.append(made)
        return maps[-1]


def _last(axes: int, value: int, other: int) -> tuple[int, ...]:
    return (*(other,) * (axes - 1), value)


def _layer(axes: int, step: Step) -> nn.Module:
    a, b, c = step.a, step.b, step.c
    kernel = a + 1
    if step.kind in ("convolution", "depthwise", "grouped"):
        groups = {"convolution": 1, "depthwise": CHANNELS, "grouped": 2}[step.kind]
        return CONVOLUTIONS[axes - 1](
            CHANNELS,
            CHANNELS,
            _last(axes, kernel, 1),
            _last(axes, 1 + b % 2, 1),
            _last(axes, c, 0),
            _last(axes, 1 + b // 2, 1),
            groups,
        )
    if step.kind == "transposed":
        stride = 1 + b % 3
        return TRANSPOSED[axes - 1](
            CHANNELS, CHANNELS, _last(axes, kernel + 1, 1), _last(axes, stride, 1), _last(axes, c % (kernel + 1), 0)
        )
    if step.kind in ("mean", "max"):
        pool = (MEANS if step.kind == "mean" else MAXIMA)[axes - 1]
        return pool(
            _last(axes, kernel, 1), _last(axes, 1 + b % 3, 1), _last(axes, c % (kernel // 2 + 1), 0), ceil_mode=c > 1
        )
    return nn.Identity()


def _applied(axes: int, step: Step, layer: nn.Module, maps: list[Tensor]) -> Tensor:
    x = maps[-1]
    n = x.shape[-1]
    a, b, c = step.a, step.b, step.c
    if step.kind in ("convolution", "depthwise", "grouped", "transposed", "mean", "max"):
        return _fits(layer, x)
    if step.kind == "add":
        return _joined(maps, lambda one, other: one + other)
    if step.kind == "cat":
        return _joined(maps, lambda one, other: torch.cat([one, other], 1)[:, a % 2 :: 2])
    if step.kind == "side":
        return torch.cat([maps[-1], maps[b % len(maps)]], -1)
    if step.kind == "resize":
        size = (*x.shape[2:-1], max(1, n * (a + 1) // (b + 1)))
        mode = MODES[axes - 1] if c else "nearest"
        return F.interpolate(x, size, mode=mode, align_corners=bool(c % 2) if c else None)
    if step.kind == "adaptive":
        pool: Any = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[axes - 1]
        return pool(x, (*x.shape[2:-1], max(1, n - a)))  # type: ignore[no-any-return]
    if step.kind == "pad":
        return F.pad(x, (a - 1, b) if n > 1 else (0, b))
    if step.kind == "slice":
        return x[..., a % n :: 1 + b]
    if step.kind == "flip":
        return x.flip(-1)
    if step.kind == "roll":
        return x.roll(a - 2, -1)
    if step.kind == "fold":
        return _folded(x, b)
    if step.kind == "shuffle":
        return x.unflatten(1, (2, CHANNELS // 2)).transpose(1, 2).flatten(1, 2)
    return x.relu()


def _fits(layer: nn.Module, x: Tensor) -> Tensor:
    try:
        return layer(x)  # type: ignore[no-any-return]
    except RuntimeError:  # the map is too short for the kernel
        return x


def _joined(maps: list[Tensor], how: Any) -> Tensor:
    if len(maps) < 2:
        return maps[-1]
    size = min(maps[-1].shape[-1], maps[-2].shape[-1])
    return how(maps[-1][..., :size], maps[-2][..., :size])  # type: ignore[no-any-return]


def _folded(x: Tensor, places: int) -> Tensor:
    """Pairs of neighbours go to a dimension of their own, are summed, or change places."""
    even = x[..., : x.shape[-1] // 2 * 2].unflatten(-1, (-1, 2))
    if not even.numel():
        return x
    return even.sum(-1) if places % 2 else even.transpose(-1, -2).flatten(-2)


KINDS = (
    *("convolution", "depthwise", "grouped", "transposed", "mean", "max", "add", "cat", "side", "resize", "adaptive"),
    *("pad", "slice", "flip", "roll", "fold", "shuffle", "relu"),
)
steps = st.builds(Step, st.sampled_from(KINDS), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    axes=st.integers(1, 3),
    plan=st.lists(steps, min_size=1, max_size=7),
    length=st.integers(5, LONGEST),
    other=st.integers(1, 2),
)
def test_random_networks(axes: int, plan: list[Step], length: int, other: int) -> None:
    net = Random(axes, plan)
    found = list(compared(net, [(1, *(other,) * (axes - 1), length)], policy="full"))
    wrong = [one for one in found if not one.right]
    assert not wrong, wrong[:4]
