"""Fold a batch norm into the convolution or linear layer before it.

What it does: in evaluation a batch norm is a fixed scale and shift a channel; the layer before it takes both on.
Safe in evaluation only: a network that is to be trained further has lost its norms.
Left alone: norms without running statistics, results that something else reads too, reused layers, shared parameters,
layers with hooks or parametrisations.
Weights: w gamma / sqrt(variance + eps), and (bias - mean) gamma / sqrt(variance + eps) + beta, computed in double
precision.
Cost: four numbers a channel less, and one pass over the map.
Source: Jacob et al. 2017, arXiv:1712.05877, section 3.2.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import Convolutions, Transposed, beyond_norm, is_batch_norm, is_plain, put
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.operations import Normalisation


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Fold every batch norm that stands behind a layer of its own."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, layer in list(module.named_modules()):
        after = flow.after(path) if isinstance(layer, _ConvNd | nn.Linear) and options.wanted(path) else None
        norm = module.get_submodule(after) if after else None
        if norm is None or after is None or not is_batch_norm(norm):
            continue
        rest = beyond_norm(norm)
        if rest is None or not _foldable(flow, path, after, layer):
            left.append(Change(path=path, what=f"{after} uses batch statistics, or one of the two is reused or hooked"))
            continue
        _fold(layer, norm)
        put(module, after, rest)
        changes.append(Change(path=after, what=f"{norm.num_features} channels folded into {path}"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _foldable(flow: Flow, path: str, after: str, layer: nn.Module) -> bool:
    operation = flow.entry(after).operation
    fixed = isinstance(operation, Normalisation) and operation.kind == "batch" and not operation.batch_statistics
    plain = is_plain(layer, (*Convolutions, *Transposed, nn.Linear))
    channels_second = not isinstance(layer, nn.Linear) or len(flow.shape(path)) == 2
    return fixed and plain and channels_second and flow.alone(path) and flow.alone(after)


def _fold(layer: nn.Module, norm: _BatchNorm) -> None:
    assert isinstance(layer, _ConvNd | nn.Linear)
    assert norm.running_mean is not None and norm.running_var is not None
    weight = layer.weight.detach().double()
    zeros = torch.zeros_like(norm.running_mean, dtype=torch.float64)
    gamma = zeros + 1 if norm.weight is None else norm.weight.detach().double()
    beta = zeros if norm.bias is None else norm.bias.detach().double()
    bias = zeros if layer.bias is None else layer.bias.detach().double()
    scale = gamma / (norm.running_var.double() + norm.eps).sqrt()
    shift = (bias - norm.running_mean.double()) * scale + beta
    with torch.no_grad():
        layer.weight.copy_(weight * _along_outputs(scale, layer))
    layer.bias = nn.Parameter(shift.to(layer.weight), requires_grad=layer.weight.requires_grad)


def _along_outputs(scale: Tensor, layer: _ConvNd | nn.Linear) -> Tensor:
    """Brought to where the weight has its output channels: first, or (input, output / groups) when transposed."""
    rank = layer.weight.dim()
    if isinstance(layer, _ConvNd) and layer.transposed:
        inputs = layer.weight.shape[0] // layer.groups
        return (
            scale.reshape(layer.groups, -1)
            .repeat_interleave(inputs, 0)
            .reshape(-1, layer.weight.shape[1], *[1] * (rank - 2))
        )
    return scale.reshape(-1, *[1] * (rank - 1))


REWRITE = Rewrite(
    name="fold-norm",
    codes=("FC033",),
    safe=True,
    training_too=False,
    looks_for="a convolution or linear layer whose result goes only into a batch norm with running statistics",
    apply=apply,
)
