"""From the plan's task to the loss that training minimises."""

from collections.abc import Callable
from typing import assert_never

from torch import Tensor

from fieldcraft.build.imported import load_target
from fieldcraft.errors import PlanError
from fieldcraft.nn.losses import modules
from fieldcraft.plan import schema

Loss = Callable[[Tensor, Tensor], Tensor]


def build_loss(task: schema.TaskPlan) -> Loss:
    """The mean loss over a batch: (outputs, targets) -> scalar.

    Shape: outputs float32 (n, k); targets int64 (n,) for single-label, float (n, k) for multi-label, float (n, k),
    standardised, for regression. An imported loss is called as `target(outputs, targets)`.
    Raises: PlanError when an imported loss cannot be found; on its first call, when it does not return a scalar tensor.
    """
    loss = task.loss
    match loss:
        case schema.CrossEntropy():
            return modules.CrossEntropy(loss.label_smoothing)
        case schema.BinaryCrossEntropy():
            return modules.BinaryCrossEntropy(loss.label_smoothing)
        case schema.SquaredError():
            return modules.SquaredError()
        case schema.Huber():
            return modules.Huber(loss.delta)
        case schema.Imported():
            return _imported(loss.target)
        case _:
            assert_never(loss)


def _imported(target: str) -> Loss:
    function = load_target(target, "loss")

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        value = function(outputs, targets)
        if not isinstance(value, Tensor) or value.ndim != 0:
            got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise PlanError(f"loss: {target}(outputs, targets) must return a scalar tensor, but returned {got}.")
        return value

    return loss
