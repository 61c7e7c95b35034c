"""From the plan's loss over voxels to the module that training minimises."""

from collections.abc import Sequence

from torch import Tensor, nn

from fieldcraft.nn.losses.boundary import Boundary
from fieldcraft.nn.losses.focal import Focal
from fieldcraft.nn.losses.modules import CrossEntropy
from fieldcraft.nn.losses.overlap import Dice, Tversky
from fieldcraft.nn.losses.sums import DeepSupervision, Sum
from fieldcraft.nn.losses.voxels import VOID
from fieldcraft.nn.sizes import Size
from fieldcraft.plan.masks import MaskLoss


def build_mask_loss(
    loss: MaskLoss, weights: Tensor | None, *, levels: Sequence[Size] = (), spacing: Sequence[float] = ()
) -> nn.Module:
    """The weighted sum of what has a weight; over several levels of logits where a network gives them.

    `weights`: of the classes, in cross-entropy. `levels`: strides of the logits, finest first; empty: one level.
    `spacing`: between voxels, for the boundary loss.
    """
    known: tuple[tuple[float, nn.Module], ...] = (
        (loss.cross_entropy, CrossEntropy(0.0, weights, void=VOID)),
        (loss.dice, Dice()),
        (loss.tversky, Tversky(1 - loss.missed, loss.missed)),
        (loss.focal, Focal(loss.focus)),
        (loss.boundary, Boundary(tuple(spacing) or 1.0)),
    )
    chosen = [(weight, one) for weight, one in known if weight]
    total = Sum([one for _, one in chosen], [weight for weight, _ in chosen])
    return DeepSupervision(total, levels) if len(levels) > 1 else total
