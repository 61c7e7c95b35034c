"""Inspect: look at a module and let every rule check it."""

from collections.abc import Sequence

from torch import nn

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.inspection.inspection import Inspection
from fieldcraft.inspection.selection import all_rules, chosen, silenced
from fieldcraft.tips.rule import Circumstances


def inspect(
    module: nn.Module,
    inputs: object,
    *,
    batch: int = 1,
    name: str = "",
    circumstances: Circumstances = Circumstances(),  # noqa: B008  (frozen)
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Inspection:
    """Receptive field, cost and findings of any module, which is never moved or changed.

    `inputs`: the shape of one sample without the batch dimension, such as (3, 224, 224); several of them; names to
    shapes; or tensors with their batch. Raises: InspectError when the module does not take them.
    """
    rules = all_rules()
    told = {rule.code for rule in chosen(rules, select, ignore)}
    anatomy = look(module, as_inputs(inputs), name=name, batch=batch)
    found = [finding for rule in rules for finding in rule.check(anatomy, circumstances)]
    kept = tuple(one for one in found if one.code in told and not silenced(one, anatomy))
    return Inspection(anatomy=anatomy, findings=kept, circumstances=circumstances, ignored=len(found) - len(kept))
