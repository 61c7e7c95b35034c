"""Starting weights: drawn anew from one generator, residual branches at zero, whitening filters from data."""

from math import prod, sqrt
from typing import Literal, assert_never

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fieldcraft.nn.blocks.mlp import MlpStep
from fieldcraft.nn.blocks.residual import PreActResidual, Residual
from fieldcraft.nn.blocks.squeeze_excitation import SqueezeExcitation
from fieldcraft.nn.blocks.whitening import WhiteningConv2d, kept_filters

InitialisationKind = Literal["default", "he", "xavier", "orthogonal"]

CHUNK = 256
"""Images whose windows are held in memory at once."""

Transposed = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
Weighted = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | Transposed
Norms = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm, nn.GroupNorm, nn.LayerNorm)


@torch.no_grad()
def initialise_(module: nn.Module, kind: InitialisationKind, generator: torch.Generator) -> nn.Module:
    """Draw all weights of `module` anew from `generator`; the global random state is neither read nor moved.

    "default" repeats PyTorch's own distributions; "he" is normal with variance 2 / fan-in, "xavier" uniform with
    variance 2 / (fan-in + fan-out), "orthogonal" orthogonal times sqrt 2; these three set biases to zero. Norms start
    at scale 1 and shift 0, gates of squeeze-and-excitation at 1. Works on linear maps, convolutions and norms, in
    place, on the generator's device.

    Raises: ValueError when a submodule of another type has weights of its own.
    Source: He et al. 2015, arXiv:1502.01852; Glorot and Bengio 2010; Saxe et al. 2013, arXiv:1312.6120.
    """
    for name, part in module.named_modules():
        if isinstance(part, Weighted):
            _draw(part, kind, generator)
            if isinstance(part, WhiteningConv2d):
                part.kept.copy_(part.weight[: len(part.kept)])
        elif isinstance(part, Norms):
            part.reset_parameters()
        elif next(part.parameters(recurse=False), None) is not None:
            raise ValueError(
                f"`initialise_` knows linear maps, convolutions and norms, but {name or 'the module'} is a "
                f"{type(part).__name__} with weights of its own."
            )
    for part in module.modules():
        if isinstance(part, SqueezeExcitation):
            part.start_open()
    return module


def _draw(part: Weighted, kind: InitialisationKind, generator: torch.Generator) -> None:
    weight = part.weight.transpose(0, 1) if isinstance(part, Transposed) else part.weight
    match kind:
        case "default":
            nn.init.kaiming_uniform_(part.weight, a=sqrt(5), generator=generator)
            if part.bias is not None:
                bound = 1 / sqrt(part.weight[0].numel())
                nn.init.uniform_(part.bias, -bound, bound, generator=generator)
            return
        case "he":
            nn.init.kaiming_normal_(weight, generator=generator)
        case "xavier":
            nn.init.xavier_uniform_(weight, generator=generator)
        case "orthogonal":
            weight.copy_(nn.init.orthogonal_(torch.empty_like(weight).contiguous(), gain=sqrt(2), generator=generator))
        case _:
            assert_never(kind)
    if isinstance(part, Transposed):
        part.weight.mul_(sqrt(part.groups * prod(part.stride)))
    if part.bias is not None:
        nn.init.zeros_(part.bias)


@torch.no_grad()
def zero_residual_(module: nn.Module) -> int:
    """Set the last norm (or convolution, or linear map) of each residual branch to zero; returns how many.

    Each block then starts as the identity (followed by its activation in classic blocks).
    Source: Goyal et al. 2017, arXiv:1706.02677, section 5.1.
    """
    count = 0
    for part in module.modules():
        if isinstance(part, Residual | PreActResidual) or (isinstance(part, MlpStep) and part.residual):
            for weights in part.last.parameters(recurse=False):
                weights.zero_()
            count += 1
    return count


@torch.no_grad()
def whiten_(conv: nn.Conv2d, patches: Tensor, *, eps: float = 5e-4) -> int:
    """Fill the first filters of `conv` with those that whiten `patches`; returns how many were filled.

    The filters are the directions of the patches' covariance, largest variance first, each divided by
    sqrt(variance + eps), followed by their negatives, so that a rectifier behind them loses nothing. Filters beyond
    2 * channels * kernel^2 stay as they are; with fewer, the directions of least variance are left out.

    Shape: patches (n, channels, h, w), at least as large as the kernel; larger ones are cut into all their windows.
    Units: `eps` in the squared units of the patches, for inputs of variance 1.
    Raises: ValueError when the channels differ, the patches are smaller than the kernel, or `conv` is grouped.
    Source: Page 2019, "How to train your ResNet 8"; Jordan 2024, arXiv:2404.00498, section 3.2.
    """
    height, width = conv.kernel_size
    if patches.ndim != 4 or patches.shape[1] != conv.in_channels or conv.groups != 1:
        raise ValueError(
            f"patches must be (n, {conv.in_channels}, h, w) for an ungrouped convolution, but got "
            f"{tuple(patches.shape)} and groups={conv.groups}."
        )
    if patches.shape[2] < height or patches.shape[3] < width:
        raise ValueError(f"patches must be at least {height} x {width} px, but got {tuple(patches.shape[2:])}.")
    variance, directions = torch.linalg.eigh(_covariance(patches, (height, width)))
    scaled = (directions / (variance.clamp(min=0) + eps).sqrt()).T.flip(0)
    count = kept_filters(conv.in_channels, conv.out_channels, height, width)
    filters = scaled[: count // 2].reshape(-1, conv.in_channels, height, width)
    into = conv.kept if isinstance(conv, WhiteningConv2d) else conv.weight[:count]
    into.copy_(torch.cat([filters, -filters]))
    return count


def _covariance(patches: Tensor, kernel: tuple[int, int]) -> Tensor:
    """Of all windows of the kernel's size, float64 (d, d) with d = channels * kernel area; in chunks, for memory."""
    size = patches.shape[1] * kernel[0] * kernel[1]
    count, total = 0, torch.zeros(size, dtype=torch.float64)
    products = torch.zeros(size, size, dtype=torch.float64)
    for first in range(0, len(patches), CHUNK):
        chunk = patches[first : first + CHUNK].detach().cpu().double().contiguous()
        windows = F.unfold(chunk, kernel).transpose(1, 2).flatten(0, 1)
        count, total, products = count + len(windows), total + windows.sum(0), products + windows.T @ windows
    return (products - total.outer(total) / count) / max(count - 1, 1)


def keep_whitening(module: nn.Module) -> WhiteningConv2d | None:
    """Replace the first convolution of `module` by one that keeps its whitening filters; None when it has none."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            whitening = WhiteningConv2d(part)
            parent, _, child = name.rpartition(".")
            setattr(module.get_submodule(parent), child, whitening)
            return whitening
    return None
