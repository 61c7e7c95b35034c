"""Rewrite: a changed copy of a module, with cost before and after and the measured difference."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

import torch
from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input, as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.anatomy.trace import default_dtype
from fieldcraft.errors import InspectError
from fieldcraft.inspection.difference import difference
from fieldcraft.inspection.rewrites import ALL
from fieldcraft.inspection.rewrites.interface import Change, Options, Rewrite
from fieldcraft.inspection.rewritten import Rewritten, sums
from fieldcraft.inspection.sources.graph import GraphModule
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding

ROUNDINGS = 1000
"""Relative difference, in units of the weights' precision, from which a safe rewrite is not believed."""

GUARDS = "_guards_fn"
"""The one submodule that `torch.export` calls: it checks sizes."""


def rewrite(
    module: nn.Module,
    what: str | Sequence[str],
    inputs: object,
    *,
    unsafe: bool = False,
    options: Options = Options(),  # noqa: B008  (frozen)
) -> Rewritten:
    """A copy of `module` with one or several rewrites made, each given by its name or by a finding's code.

    The module itself, its weights, flags and hooks stay as they are. `inputs` as for `inspect`.
    Raises: InspectError for a name that is not known, an unsafe rewrite without `unsafe`, a graph from a file, when
    nothing fits, and when the result does not run or a safe rewrite did not keep the function.
    """
    check_layers(module)
    chosen = _chosen([what] if isinstance(what, str) else what)
    if not unsafe and (risky := [one.name for one in chosen if not one.safe]):
        raise InspectError(
            f"{', '.join(risky)} changes the function, which must be allowed: pass unsafe=True (or --unsafe) after "
            "reading what it does to the weights."
        )
    given = as_inputs(inputs)
    new = _copied(module)
    first = anatomy = look(new, given)
    _check_paths(options, anatomy)
    changes: list[Change] = []
    left: list[Change] = []
    done: list[Rewrite] = []
    for one in chosen:
        outcome = one.apply(new, anatomy, options)
        left += outcome.left
        if outcome.changes:
            changes += outcome.changes
            done.append(one)
            anatomy = _looked_at_again(new, given, one)
    if not done:
        raise InspectError(_nothing(chosen, left, options))
    safe = all(one.safe for one in done)
    apart = difference(module, new, given)
    _check_safe(safe, apart, module, done)
    return Rewritten(
        module=new,
        changes=tuple(changes),
        left=tuple(left),
        names=tuple(one.name for one in done),
        safe=safe,
        before=sums(first),
        after=sums(anatomy),
        difference=apart,
        options=options,
    )


def check_layers(module: nn.Module) -> None:
    """Raises: InspectError for a graph of bare operations, as .pt2 and ONNX files hold: it has no layers to replace."""
    nodes = module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ()
    called = {node.target for node in nodes if node.op == "call_module"}
    if isinstance(module, GraphModule) or (nodes and called <= {GUARDS}):
        raise InspectError(
            "a rewrite replaces layers (submodules), and a .pt2 or ONNX graph holds only operations: rewrite the "
            "module that it was exported from, and export it again: "
            "fieldcraft inspect package.module:callable --input SHAPE --fix --out new.pt2"
        )


def plan_fixes(findings: Iterable[Finding], *, unsafe: bool = False) -> tuple[str, ...]:
    """Names of the rewrites that mend what was found, in the order in which they are made."""
    codes = {finding.code for finding in findings}
    return tuple(one.name for one in ALL if codes & set(one.codes) and (unsafe or one.safe))


def only_where_found(options: Options, findings: Iterable[Finding], name: str) -> Options:
    """Options that keep a rewrite to the layers that its findings name; as they are where none is named."""
    codes = set(next(one.codes for one in ALL if one.name == name))
    layers = dict.fromkeys(layer for finding in findings if finding.code in codes for layer in finding.layers)
    return replace(options, only=tuple(layers)) if layers else options


def _chosen(what: Sequence[str]) -> tuple[Rewrite, ...]:
    names = set()
    for wanted in what:
        found = [one.name for one in ALL if wanted == one.name or wanted in one.codes]
        if not found:
            known = [name for one in ALL for name in (one.name, *one.codes)]
            near = get_close_matches(wanted, known, n=3)
            raise InspectError(
                f'no rewrite is called "{wanted}" and none mends that code'
                + (f"; did you mean {' or '.join(near)}?" if near else "")
                + f" There are {', '.join(known)}."
            )
        names.update(found)
    if not names:
        raise InspectError("at least one rewrite must be named, but got none.")
    return tuple(one for one in ALL if one.name in names)


def _copied(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module)
    except Exception as error:
        raise InspectError(
            f"{type(module).__name__} cannot be copied ({type(error).__name__}: {error}), and a rewrite is made on "
            "a copy: leave locks, files, generators and graph tensors out of its attributes."
        ) from error


def _check_paths(options: Options, anatomy: Anatomy) -> None:
    if unknown := [path for path in options.only if path not in anatomy.by_module]:
        near = get_close_matches(unknown[0], anatomy.by_module, n=3)
        raise InspectError(
            f'`only` must name submodules, but there is no "{unknown[0]}"'
            + (f"; did you mean {' or '.join(near)}?" if near else ".")
        )


def _looked_at_again(new: nn.Module, inputs: Sequence[Input | Tensor], one: Rewrite) -> Anatomy:
    try:
        return look(new, inputs)
    except InspectError as error:
        raise InspectError(
            f"after {one.name} the module does not run any more: {error} Keep it to some layers with `only`, or change "
            "the layer that broke by hand."
        ) from error


def _nothing(chosen: Sequence[Rewrite], left: Sequence[Change], options: Options) -> str:
    looked = "; ".join(f"{one.name} looks for {one.looks_for}" for one in chosen)
    within = f" among {', '.join(options.only)}" if options.only else ""
    reasons = "".join(f" {one.path or 'the whole'} was left: {one.what}." for one in left[:5])
    return (
        f"nothing fits{within}: {looked}.{reasons} Only submodules can be replaced: what a forward calls as a function "
        "(F.relu, F.max_pool2d) must be made a module first."
    )


def _check_safe(safe: bool, apart: float | None, module: nn.Module, done: Sequence[Rewrite]) -> None:
    limit = min(0.1, ROUNDINGS * torch.finfo(default_dtype(module)).eps)
    if safe and (apart is None or not apart <= limit) and not any(one.is_meta for one in module.parameters()):
        raise InspectError(
            f"{'+'.join(one.name for one in done)} must keep the function, but outputs differ by {apart} of their "
            "largest: leave the layers concerned out with `only`, and please report the module."
        )
