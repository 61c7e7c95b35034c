"""Drop the bias of a convolution or linear layer whose result goes into a norm and nowhere else.

What it does: the norm subtracts the mean, and the bias with it; the bias is removed.
Safe: the function stays, in evaluation and in training, for batch norm, instance norm, and group norm with one channel
a group. Where the norm keeps a running mean, the bias is taken off it, so that later updates agree as well.
Left alone: results that something else reads too (a shortcut, a padding, the output), reused layers, shared parameters,
layers with hooks or parametrisations.
Weights: kept; the running mean moves by the bias.
Cost: one parameter a channel less, and one addition a value.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.2.
"""

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import Convolutions, InstanceNorms, Transposed, is_batch_norm, is_plain
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.operations import Normalisation


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Drop every bias that a norm takes out again."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, layer in module.named_modules():
        if not isinstance(layer, _ConvNd | nn.Linear) or layer.bias is None or not options.wanted(path):
            continue
        after = flow.after(path)
        norm = module.get_submodule(after) if after else None
        if norm is None or after is None or not _takes_out(norm, after, flow, path):
            continue
        if (
            not is_plain(layer, (*Convolutions, *Transposed, nn.Linear))
            or not flow.alone(path)
            or not flow.alone(after)
        ):
            left.append(Change(path=path, what="reused, shared, hooked or parametrised"))
            continue
        _fold(layer.bias, norm)
        count = layer.bias.numel()
        layer.register_parameter("bias", None)
        changes.append(Change(path=path, what=f"{count} biases dropped; {after} takes the mean out"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _takes_out(norm: nn.Module, path: str, flow: Flow, layer: str) -> bool:
    """The norm subtracts the mean of each channel by itself, and its channels are the layer's."""
    rank = len(flow.shape(layer))
    if is_batch_norm(norm):
        operation = flow.entry(path).operation
        return (
            isinstance(operation, Normalisation) and operation.kind == "batch" and (rank == 2 or _is_map(flow, layer))
        )
    if is_plain(norm, InstanceNorms):
        return _is_map(flow, layer)
    return is_plain(norm, (nn.GroupNorm,)) and norm.num_groups == norm.num_channels and _is_map(flow, layer)


def _is_map(flow: Flow, layer: str) -> bool:
    """A convolution's result: its channels stand where a norm looks for them (linear ones stand last)."""
    return any("convolution" in row.source for row in flow.rows[layer])


def _fold(bias: torch.Tensor, norm: nn.Module) -> None:
    mean = getattr(norm, "running_mean", None)
    if isinstance(mean, torch.Tensor):
        with torch.no_grad():
            mean -= bias.to(mean)


REWRITE = Rewrite(
    name="drop-bias",
    codes=("FC001",),
    safe=True,
    training_too=True,
    looks_for="a convolution or linear layer with a bias whose result goes only into a batch norm, an instance norm or "
    "a group norm with one channel a group",
    apply=apply,
)
