"""What is known of pretrained weights that a user gave: what they are of, and how images have to reach them."""

from typing import Literal

from pydantic.dataclasses import dataclass

Family = Literal["cifar-resnet", "squeezenet", "torchvision", "timm"]
"""Whose network it is: of `fieldcraft.nn.networks`, or of a library that has to be installed."""
Order = Literal["rgb", "bgr", "gray"]


@dataclass(frozen=True, kw_only=True)
class Wants:
    """How images have to reach a network: pixels from 0 to `full_scale`, then (pixel - mean) / std."""

    height: int
    width: int
    order: Order
    """Of the channels."""
    mean: tuple[float, ...]
    """Per channel, in that order."""
    std: tuple[float, ...]
    full_scale: float
    """What the brightest pixel is: 1 or 255."""


@dataclass(frozen=True, kw_only=True)
class WeightsFacts:
    """One candidate: a file of weights and the network that it belongs to."""

    name: str
    """Short, unique among the candidates."""
    file: str
    digest: str
    """Of the file's bytes."""
    family: Family
    model: str
    """Which network of the family: a depth, a version, or the library's name."""
    wants: Wants
    any_size: bool
    """Whether the network takes images of other sizes than it wants."""
    features: int
    """Numbers that it tells of an image."""
    parameters: int
    """Weights below the head."""
    parts: int
    """Parts from input to output that can have rates of their own."""
    norms: int
    """Batch norms."""
    matched: int
    """Tensors of the network that the file has, with the right shapes."""
    maps: tuple[tuple[int, int], ...] = ()
    """Channels and reduction of the maps that a decoder of masks can begin with, finest first; empty: none."""
    note: str = ""
    """What else is to be known: what the weights were trained on."""
