"""Normalisation layers by name."""

from typing import Literal, assert_never

from torch import nn

from fieldcraft.nn.blocks.instance_norm import InstanceNorm2d, InstanceNorm3d

NormKind = Literal["batch", "group", "layer", "instance", "none"]

MOST_GROUPS = 32
LEAST_CHANNELS_A_GROUP = 4


def make_norm(kind: NormKind, channels: int, dims: int) -> nn.Module:
    """A normalisation with learnt scale and shift over `channels`.

    Shape: (n, channels, *dims positions) -> same; `dims` is 0 for features, 2 for images.
    "layer" normalises each sample over channels and positions, "instance" each channel of each sample over positions,
    "group" lies between (at most 32 groups of at least 4 channels where the number of channels allows).
    Raises: ValueError for "instance" over features (one number has no deviation) and for dims other than 0 to 3.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167; Ba et al. 2016, arXiv:1607.06450; Ulyanov et al. 2016,
    arXiv:1607.08022; Wu and He 2018, arXiv:1803.08494.
    """
    if channels < 1 or not 0 <= dims <= 3:
        raise ValueError(f"`channels >= 1` and `0 <= dims <= 3` must hold, but got {channels=}, {dims=}.")
    match kind:
        case "batch":
            return _batch(channels, dims)
        case "group":
            return nn.GroupNorm(groups_for(channels), channels)
        case "layer":
            return nn.GroupNorm(1, channels)
        case "instance":
            return _instance(channels, dims)
        case "none":
            return nn.Identity()
        case _:
            assert_never(kind)


def groups_for(channels: int) -> int:
    """The most groups, up to 32, that divide `channels` into groups of at least 4; 1 when none do."""
    for groups in range(min(MOST_GROUPS, channels // LEAST_CHANNELS_A_GROUP), 1, -1):
        if channels % groups == 0:
            return groups
    return 1


def _batch(channels: int, dims: int) -> nn.Module:
    if dims == 3:
        return nn.BatchNorm3d(channels)
    return nn.BatchNorm2d(channels) if dims == 2 else nn.BatchNorm1d(channels)


def _instance(channels: int, dims: int) -> nn.Module:
    if dims == 0:
        raise ValueError(
            'norm "instance" needs positions to normalise over, but features have none: use "layer" or "batch".'
        )
    kinds = {1: nn.InstanceNorm1d, 2: InstanceNorm2d, 3: InstanceNorm3d}
    return kinds[dims](channels, affine=True)
