"""Boundary loss: what is predicted costs as much as it lies away from the true boundary."""

from collections.abc import Sequence

from torch import Tensor, nn

from fieldcraft.nn.distances import signed_distances
from fieldcraft.nn.losses.voxels import VOID, at_least_single, check_dense


def boundary(
    logits: Tensor,
    target: Tensor,
    *,
    spacing: float | Sequence[float] = 1.0,
    background: bool = False,
    void: int = VOID,
    distances: Tensor | None = None,
) -> Tensor:
    """Mean over the positions that are not void of sum over classes of p d, p the softmax of the logits.

    d is the signed distance to the boundary of the class, negative inside (`signed_distances`), so that the least is
    reached by the true mask and is below 0; class 0 counts only with `background`. `distances` (n, classes, *spatial),
    made when the sample was read, save making them here: about the sum of the map's sizes operations a position and
    class.

    Shape: logits (n, classes, *spatial), class ids (n, *spatial) -> (). Units: those of `spacing`.
    Hurts: alone it finds nothing for a class that is predicted nowhere near; start it at a hundredth of an overlap
    loss and let it grow. Voxels far away outweigh those near: in millimetres of large volumes it needs a small weight.
    Raises: ValueError when the shapes do not fit.
    Source: Kervadec et al. 2019, arXiv:1812.07032, equation 5.
    """
    check_dense(logits, target)
    if distances is None:
        distances = signed_distances(target, logits.shape[1], spacing)
    if distances.shape != logits.shape:
        shapes = tuple(logits.shape), tuple(distances.shape)
        raise ValueError(f"`distances` must have the shape of the logits, {shapes[0]}, but got {shapes[1]}.")
    first = 0 if background else 1
    guess = at_least_single(logits).softmax(1)[:, first:]
    each = (guess * distances[:, first:]).sum(1)
    known = target != void
    return (each * known).sum() / known.sum().clamp(min=1)


class Boundary(nn.Module):
    """`boundary` with its settings kept. Shape: logits (n, classes, *spatial), class ids (n, *spatial) -> ()."""

    def __init__(self, spacing: float | Sequence[float] = 1.0, *, background: bool = False, void: int = VOID) -> None:
        super().__init__()
        self.spacing, self.background, self.void = spacing, background, void

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mean over positions, in units of the spacing."""
        return boundary(logits, target, spacing=self.spacing, background=self.background, void=self.void)
