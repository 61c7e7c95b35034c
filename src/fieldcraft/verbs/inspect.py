"""`fc.inspect`: open a module, look at it, check it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from torch import nn

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.errors import InspectError
from fieldcraft.inspection.inspect import inspect as look_and_check
from fieldcraft.inspection.sources.open import open_source
from fieldcraft.inspection.sources.source import Source
from fieldcraft.tips.rule import Circumstances
from fieldcraft.verbs.inspected import Inspected


def inspect(
    module: nn.Module | str,
    inputs: object = (),
    *,
    batch: int | None = None,
    arguments: Sequence[str] = (),
    loss: str | None = None,
    train_batch: int | None = None,
    objects_px: Sequence[float] | None = None,
    device: Literal["cpu", "cuda"] | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    weights: bool = False,
    trust: bool = False,
) -> Inspected:
    """Receptive field, cost and findings of any module, which is never moved or changed.

    `module`: an `nn.Module`, or text that says where one is: package.module:callable (called with `arguments`,
    "key=value"), file.py:callable, a run folder or plan.toml, a .pt2 program, a .onnx file.
    `inputs`: the shape of one sample without the batch dimension, such as (3, 224, 224); several of them; names to
    shapes; or tensors with their batch. Sources that know their inputs need none.
    `loss`, `train_batch`, `objects_px` and `device` are what is known around the module; some rules wait for them.
    `weights` builds a named module on the CPU, with numbers, so that rules can look at them. `trust` lets a .pt2 file
    be unpickled, which runs whatever code it holds.
    Raises: InspectError, in one message, when the module cannot be opened or does not take the inputs.
    """
    source = (
        open_source(module, arguments=arguments, weights=weights, trust=trust)
        if isinstance(module, str)
        else Source(module=module, name=type(module).__name__)
    )
    if batch is not None and source.batch is not None and batch != source.batch:
        raise InspectError(f"{source.name} is made for batches of {source.batch}, but {batch} was asked for.")
    given = as_inputs(inputs) or source.inputs
    if not given:
        raise InspectError(
            f"{source.name} does not say what it takes: give the shape of one sample, without the batch dimension "
            "(--input 3,224,224, or inputs=(3, 224, 224))."
        )
    found = look_and_check(
        source.module,
        given,
        batch=batch or source.batch or 1,
        name=source.name,
        circumstances=_around(source.circumstances, loss, train_batch, objects_px, device),
        select=select,
        ignore=ignore,
    )
    return Inspected(
        anatomy=found.anatomy,
        findings=found.findings,
        circumstances=found.circumstances,
        ignored=found.ignored,
        module=source.module,
        inputs=given,
        notes=source.notes,
    )


def _around(
    known: Circumstances,
    loss: str | None,
    batch: int | None,
    objects_px: Sequence[float] | None,
    device: Literal["cpu", "cuda"] | None,
) -> Circumstances:
    """What the source knows, with what the user says in its place."""
    if batch is not None and batch < 1:
        raise InspectError(f"a training batch must have at least one sample, but got {batch}.")
    return replace(
        known,
        loss=known.loss if loss is None else loss,
        batch=known.batch if batch is None else batch,
        objects_px=known.objects_px if objects_px is None else tuple(objects_px),
        device=known.device if device is None else device,
    )
