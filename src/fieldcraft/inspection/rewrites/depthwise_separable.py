"""A convolution becomes a depthwise one and a 1x1 one.

What it does: each input channel is filtered by one kernel, and a 1x1 convolution mixes the results.
Unsafe: the function changes, unless the kernels of every input channel are multiples of one another.
Left alone: kernels of one, grouped and transposed convolutions, and those of four channels or fewer (they read the
image), reused or shared ones, and pairs that would cost more.
Weights: for each input channel the best rank-one form of its (outputs, taps) matrix by the singular value
decomposition: the least error that this form can have. The bias moves to the 1x1 convolution.
Cost: taps + outputs instead of taps x outputs multiply-adds an input channel and position.
Source: Howard et al. 2017, arXiv:1704.04861, section 3.1; Guo et al. 2018, arXiv:1808.03392 (by decomposition).
"""

from math import prod

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import Convolutions, is_plain, is_plain_convolution, maker_of, put
from fieldcraft.records.anatomy import Anatomy

IMAGE_CHANNELS = 4


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Split every dense convolution where that saves something."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, layer in list(module.named_modules()):
        if not (is_plain(layer, Convolutions) and is_plain_convolution(layer) and options.wanted(path)):
            continue
        taps = prod(layer.kernel_size)
        if taps == 1 or layer.groups > 1 or layer.in_channels <= IMAGE_CHANNELS:
            continue
        if not flow.alone(path) or taps + layer.out_channels >= taps * layer.out_channels:
            left.append(Change(path=path, what="reused or shared, or the pair would cost no less"))
            continue
        pair, error = separated(layer)
        put(module, path, pair)
        changes.append(Change(path=path, what=f"relative error of the weights {error:.2f}"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def separated(layer: _ConvNd) -> tuple[nn.Sequential, float]:
    """The pair that is nearest to a dense convolution, and the relative error of the kernel that it makes."""
    kind = maker_of(layer)
    inputs, outputs = layer.in_channels, layer.out_channels
    depthwise = kind(
        inputs,
        inputs,
        layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=inputs,
        bias=False,
    ).to(layer.weight)
    pointwise = kind(inputs, outputs, 1, bias=layer.bias is not None).to(layer.weight)
    matrices = layer.weight.detach().double().transpose(0, 1).reshape(inputs, outputs, -1)
    left, size, right = torch.linalg.svd(matrices, full_matrices=False)
    root = size[:, :1].sqrt()
    with torch.no_grad():
        depthwise.weight.copy_((right[:, 0] * root).reshape(depthwise.weight.shape))
        pointwise.weight.copy_((left[:, :, 0] * root).T.reshape(pointwise.weight.shape))
        if layer.bias is not None and pointwise.bias is not None:
            pointwise.bias.copy_(layer.bias)
    lost = float((size[:, 1:] ** 2).sum() / (size**2).sum().clamp_min(1e-300)) ** 0.5 if not size.is_meta else 0.0
    return nn.Sequential(depthwise, pointwise), lost


REWRITE = Rewrite(
    name="depthwise-separable",
    codes=("FC028",),
    safe=False,
    training_too=False,
    looks_for="a dense convolution with a kernel above 1 and more than four channels in",
    apply=apply,
)
