"""Another activation in the place of saturating ones.

What it does: sigmoid, tanh, softsign and the hard forms become `activation` (relu by default). A network without any of
these gets all its activations swapped.
Unsafe: the function changes.
Left alone: gates (their result is multiplied with something), the network's output, what recurrent layers do inside,
and functional calls (F.tanh, x.tanh(): no module to replace).
Weights: kept. Networks that start anew want the initialisation of their new activation.
Cost: as the activation.
Source: Glorot, Bordes and Bengio 2011, "Deep sparse rectifier neural networks".
"""

from typing import get_args

from torch import nn

from fieldcraft.errors import InspectError
from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import put
from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.operations import Activation, Arithmetic

SATURATING = ("sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign")


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Swap hidden activations that are submodules of their own."""
    kind = _kind(options.activation)
    flow = Flow(anatomy)
    found = [
        (path, "relu6" if row.kind == "ReLU6" else row.operation.name)
        for path, rows in flow.rows.items()
        if len({row.call for row in rows}) == len(rows) and path and options.wanted(path)
        for row in rows[:1]
        if isinstance(row.operation, Activation) and not any(True for _ in module.get_submodule(path).children())
    ]
    saturating = [one for one in found if one[1] in SATURATING]
    changes, left = [], []
    for path, name in saturating if saturating and not options.only else found:
        if name == kind.replace("-", "_"):
            continue
        if _is_gate_or_output(flow, path):
            left.append(Change(path=path, what="a gate or the output"))
            continue
        put(module, path, make_activation(kind))
        changes.append(Change(path=path, what=f"{name} -> {kind}"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _kind(name: str) -> ActivationKind:
    for kind in get_args(ActivationKind):
        if kind == name:
            return kind  # type: ignore[no-any-return]
    raise InspectError(f'an activation must be one of {", ".join(get_args(ActivationKind))}, but got "{name}".')


def _is_gate_or_output(flow: Flow, path: str) -> bool:
    given = [value for row in flow.rows[path] for value in row.outputs]
    readers = [user.operation for value in given for user in flow.anatomy.users.get(value, ())]
    return any(value in flow.anatomy.outputs for value in given) or any(
        isinstance(one, Arithmetic) and one.name == "mul" for one in readers
    )


REWRITE = Rewrite(
    name="swap-activation",
    codes=("FC016",),
    safe=False,
    training_too=False,
    looks_for="a hidden activation that is a submodule, no gate and not the wanted one already",
    apply=apply,
)
