"""How an Inception module is written down here: branches of steps, and what builds them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.zoo.slim_layers import Branches, Layers, Size
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Conv:
    depth: int
    kernel: Size = 1
    stride: int = 1
    valid: bool = False


@dataclass(frozen=True, slots=True)
class MaxPool:
    """3x3."""

    stride: int = 1
    valid: bool = False


@dataclass(frozen=True, slots=True)
class AvgPool:
    """3x3, SAME, stride 1."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Branches whose maps are concatenated."""

    ways: "tuple[tuple[Step, ...], ...]"


Step = Conv | MaxPool | AvgPool | Fork


def fork(*ways: "Step | tuple[Step, ...]") -> Fork:
    """A branch of a single step may come without its tuple."""
    return Fork(tuple(way if isinstance(way, tuple) else (way,) for way in ways))


def build_step(step: Step, before: int, make: Layers) -> tuple[nn.Module, int]:
    """The module, and the channels behind it."""
    match step:
        case Conv():
            after = make.depth(step.depth)
            return make.conv(before, after, step.kernel, step.stride, valid=step.valid), after
        case MaxPool():
            return make.max_pool(3, step.stride, valid=step.valid), before
        case AvgPool():
            return nn.AvgPool2d(3, 1, 1, count_include_pad=False), before
        case Fork():
            built = [build(way, before, make) for way in step.ways]
            return Branches(*(module for module, _ in built)), sum(after for _, after in built)


def build(steps: Sequence[Step], before: int, make: Layers) -> tuple[nn.Module, int]:
    """Steps one behind the other."""
    modules = []
    for step in steps:
        module, before = build_step(step, before, make)
        modules.append(module)
    return (modules[0] if len(modules) == 1 else nn.Sequential(*modules)), before


def build_named(steps: Sequence[tuple[str, Step]], make: Layers, before: int = 3) -> list[tuple[str, nn.Module]]:
    """Stages of a trunk."""
    stages = []
    for name, step in steps:
        module, before = build_step(step, before, make)
        stages.append((name, module))
    return stages


class ScaledResidual(nn.Module):
    """Add a scaled mixture of branches to the map."""

    def __init__(self, mixed: Fork, channels: int, scale: float, make: Layers, *, relu: bool = True) -> None:
        super().__init__()
        self.scale = scale
        self.mixed, inside = build_step(mixed, channels, make)
        self.up = nn.Conv2d(inside, channels, 1)
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.scale * self.up(self.mixed(x)))
