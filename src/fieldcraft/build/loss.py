"""From the plan's task to the loss that training minimises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import torch
from torch import Tensor

from fieldcraft.build.imported import load_target
from fieldcraft.build.mask_loss import build_mask_loss
from fieldcraft.errors import PlanError
from fieldcraft.nn.losses import modules
from fieldcraft.nn.losses.imbalance import class_weights, log_priors, positive_weights
from fieldcraft.nn.sizes import Size
from fieldcraft.plan import schema

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many training samples have each class or label, and how many there are."""

    each: tuple[int, ...]
    total: int


def build_loss(
    task: schema.TaskPlan,
    counts: Counts | None = None,
    *,
    device: torch.device | None = None,
    levels: Sequence[Size] = (),
    spacing: Sequence[float] = (),
) -> Loss:
    """The mean loss over a batch: (outputs, targets) -> scalar.

    Shape: outputs float32 (n, k); targets int64 (n,) for single-label (shares float (n, k) where samples are blended),
    float (n, k) for multi-label, float (n, k), standardised, for regression; of masks, logits (n, classes, *spatial)
    and int64 (n, *spatial), for a network that answers at several `levels` (their strides), voxels `spacing` apart.
    An imported loss is called as `target(outputs, targets)`. `counts` is needed where the loss makes up for unequal
    classes, and `device` where its numbers live.
    Raises: PlanError when an imported loss cannot be found, or the counts are missing; on its first call, when an
    imported loss does not return a scalar tensor.
    """
    loss = task.loss
    match loss:
        case schema.CrossEntropy():
            even, times = loss.class_weights, loss.logit_adjustment
            each = _needed(counts).each if even != "none" or times else ()
            return modules.CrossEntropy(
                loss.label_smoothing,
                weights=class_weights(each, even) if even != "none" else None,
                adjustment=times * log_priors(each) if times else None,
            ).to(device)
        case schema.BinaryCrossEntropy():
            if loss.class_weights == "none":
                return modules.BinaryCrossEntropy(loss.label_smoothing)
            known = _needed(counts)
            positive = positive_weights(known.each, known.total, loss.class_weights)
            return modules.BinaryCrossEntropy(loss.label_smoothing, positive).to(device)
        case schema.SquaredError():
            return modules.SquaredError()
        case schema.Huber():
            return modules.Huber(loss.delta)
        case schema.MaskLoss():
            weighs = loss.class_weights != "none"
            each_voxel = class_weights(_needed(counts).each, loss.class_weights) if weighs else None
            return build_mask_loss(loss, each_voxel, levels=levels, spacing=spacing).to(device)
        case schema.Imported():
            return _imported(loss.target)
        case _:
            assert_never(loss)


def _needed(counts: Counts | None) -> Counts:
    if counts is None:
        raise PlanError(
            "loss: class weights and logit adjustment need the training samples of each class: give `counts`, or set "
            'task.loss.class_weights = "none" and task.loss.logit_adjustment = 0.'
        )
    return counts


def _imported(target: str) -> Loss:
    function = load_target(target, "loss")

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        value = function(outputs, targets)
        if not isinstance(value, Tensor) or value.ndim != 0:
            got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise PlanError(f"loss: {target}(outputs, targets) must return a scalar tensor, but returned {got}.")
        return value

    return loss
