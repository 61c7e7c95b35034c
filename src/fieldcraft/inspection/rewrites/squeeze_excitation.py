"""Squeeze-and-excitation at the end of residual branches, or behind convolutions where there are none.

What it does: every channel is multiplied by a gate that a small network computes from the means of all channels.
Unsafe: the function changes as soon as it is trained. It starts as it was: the gate is 2 sigmoid(0) = 1.
Left alone: branches that have gates already, branches whose end is no norm or convolution of its own, reused layers.
Weights: kept; the last layer of each gate starts at zero.
Cost: 2 channels^2 / 16 parameters a block, hardly any multiply-adds, one more pass over the map. Every unit sees the
whole input from there on.
Source: Hu et al. 2017, arXiv:1709.01507, section 3; the factor 2 so that it starts as the identity.
"""

import torch
from torch import nn

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import Convolutions, InstanceNorms, beyond_norm, is_batch_norm, is_plain, put
from fieldcraft.nn.blocks.squeeze_excitation import SqueezeExcitation
from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import Arithmetic, Convolution, Regulariser

REDUCTION = 16
NORMS = (nn.GroupNorm, *InstanceNorms)


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """A gate at the end of every residual branch; in a network without any, behind every norm of a convolution."""
    flow = Flow(anatomy)
    depth = _depths(anatomy)
    changes, left = [], []
    adds = [row for row in anatomy.rows if _joins(row, anatomy)]
    ends = [_branch_end(row, anatomy, depth) for row in adds]
    residual = {end.module: add.module for add, end in zip(adds, ends, strict=True) if end is not None}
    for path, block in residual.items() if adds else [(path, "") for path in _blocks(module, flow)]:
        if not options.wanted(path):
            continue
        if why := _hindrance(module, flow, path, block):
            left.append(Change(path=path, what=why))
            continue
        channels = flow.shape(path)[1]
        old = module.get_submodule(path)
        like = next((one for one in (*old.parameters(), *module.parameters())), torch.empty(0))
        put(module, path, nn.Sequential(old, SqueezeExcitation(channels, REDUCTION).to(like)))
        changes.append(Change(path=path, what=f"gate over {channels} channels behind it"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _joins(row: Row, anatomy: Anatomy) -> bool:
    shapes = [anatomy.shape(value) for value in row.inputs]
    alike = len(shapes) == 2 and shapes[0] == shapes[1] and len(shapes[0]) >= 3
    return isinstance(row.operation, Arithmetic) and row.operation.name == "add" and alike


def _depths(anatomy: Anatomy) -> dict[int, int]:
    """The most convolutions on a way from the input to each value."""
    depth: dict[int, int] = {}
    for row in anatomy.rows:
        here = max((depth.get(value, 0) for value in row.inputs), default=0) + isinstance(row.operation, Convolution)
        depth.update(dict.fromkeys(row.outputs, here))
    return depth


def _branch_end(row: Row, anatomy: Anatomy, depth: dict[int, int]) -> Row | None:
    """What the longer of two branches ends with."""
    first, second = row.inputs
    if depth.get(first, 0) == depth.get(second, 0):
        return None
    end = anatomy.maker.get(max(row.inputs, key=lambda value: depth.get(value, 0)))
    while end is not None and isinstance(end.operation, Regulariser):
        end = next(anatomy.before(end), None)
    return end


def _blocks(module: nn.Module, flow: Flow) -> list[str]:
    found = []
    for path, layer in module.named_modules():
        after = flow.after(path) if is_plain(layer, Convolutions) else None
        if after and _is_norm(module.get_submodule(after)):
            found.append(after)
    return found


def _is_norm(layer: nn.Module) -> bool:
    return is_plain(layer, NORMS) or (is_batch_norm(layer) and isinstance(beyond_norm(layer), nn.Identity))


def _hindrance(module: nn.Module, flow: Flow, path: str, block: str) -> str:
    layer = module.get_submodule(path) if path else module
    if not (is_plain(layer, Convolutions) or _is_norm(layer)) or not flow.alone(path):
        return "the branch does not end in a norm or convolution of its own"
    if len(flow.shape(path)) < 3:
        return "something else reads what comes out of it, or it is no map"
    within = f"{block}." if block else ""
    rows = [row for row in flow.anatomy.rows if row.module.startswith(within) or row.module == block]
    return "the block has a gate" if within and any(_gates(row, flow.anatomy) for row in rows) else ""


def _gates(row: Row, anatomy: Anatomy) -> bool:
    shapes = [anatomy.shape(value) for value in row.inputs]
    multiplies = isinstance(row.operation, Arithmetic) and row.operation.name == "mul"
    return multiplies and any(len(shape) > 2 and set(shape[2:]) == {1} for shape in shapes)


REWRITE = Rewrite(
    name="squeeze-excitation",
    codes=(),
    safe=False,
    training_too=False,
    looks_for="a residual branch that ends in a norm or convolution, or a convolution with a norm behind it",
    apply=apply,
)
