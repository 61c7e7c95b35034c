"""Soft overlap of probabilities and masks: Tversky, and Dice as its even case."""

from typing import Literal

from torch import Tensor, nn

from fieldcraft.nn.losses.voxels import VOID, at_least_single, check_dense, known_and_one_hot

Absent = Literal["count", "leave-out"]


def tversky(
    logits: Tensor,
    target: Tensor,
    *,
    false_positives: float = 0.5,
    false_negatives: float = 0.5,
    background: bool = False,
    over_batch: bool = False,
    absent: Absent = "count",
    smooth: float = 1e-5,
    void: int = VOID,
) -> Tensor:
    """One minus the mean Tversky index of the classes.

    With p the softmax of the logits, t the one-hot target, sums over all positions that are not void, of each class:
    (sum p t + s) / (sum p t + a sum p (1 - t) + b sum (1 - p) t + s), s = `smooth`, a = `false_positives`,
    b = `false_negatives`; b > a prefers finding too much to missing. The mean is over samples and classes, or over
    classes of the whole batch taken as one sample (`over_batch`: steadier where a class is in few patches).
    `background`: class 0 counts as well. `absent`: a class that the sample (or batch) does not have has an index near
    0 until its probabilities sum to about `smooth`, a strong push that a few stray voxels set off; "leave-out" leaves
    those to the cross-entropy beside it.

    Shape: logits (n, classes, *spatial), class ids (n, *spatial) -> (). Computed in single precision or better.
    Hurts: alone it is a poor teacher of probabilities (they end near 0 and 1), and of few voxels its gradient is
    noisy: add cross-entropy.
    Raises: ValueError when the shapes do not fit or no class is left to count.
    Source: Salehi et al. 2017, arXiv:1706.05721, equation 3; Milletari et al. 2016, arXiv:1606.04797 (Dice).
    """
    check_dense(logits, target)
    classes = logits.shape[1]
    if classes < (1 if background else 2):
        raise ValueError(f"without background, class 0, no class is left of {classes}: give background=True.")
    known, truth = known_and_one_hot(target, classes, void)
    guess = at_least_single(logits).softmax(1) * known
    first = 0 if background else 1
    guess, truth = guess[:, first:].flatten(2), truth[:, first:].flatten(2)
    dims = (0, 2) if over_batch else (2,)
    hit, guessed, there = (guess * truth).sum(dims), guess.sum(dims), truth.sum(dims)
    index = (hit + smooth) / (hit + false_positives * (guessed - hit) + false_negatives * (there - hit) + smooth)
    if absent == "count":
        return 1 - index.mean()
    counts = (there > 0).to(index.dtype)
    return ((1 - index) * counts).sum() / counts.sum().clamp(min=1)


def dice(
    logits: Tensor,
    target: Tensor,
    *,
    background: bool = False,
    over_batch: bool = False,
    absent: Absent = "count",
    smooth: float = 1e-5,
    void: int = VOID,
) -> Tensor:
    """One minus the mean soft Dice of the classes, (2 sum p t + smooth) / (sum p + sum t + smooth); see `tversky`."""
    return tversky(
        logits,
        target,
        background=background,
        over_batch=over_batch,
        absent=absent,
        smooth=smooth / 2,
        void=void,
    )


class Tversky(nn.Module):
    """`tversky` with its settings kept. Shape: logits (n, classes, *spatial), class ids (n, *spatial) -> ().

    Raises: ValueError when a weight is negative, or both are 0.
    """

    def __init__(
        self,
        false_positives: float = 0.5,
        false_negatives: float = 0.5,
        *,
        background: bool = False,
        over_batch: bool = False,
        absent: Absent = "count",
        smooth: float = 1e-5,
        void: int = VOID,
    ) -> None:
        super().__init__()
        if min(false_positives, false_negatives) < 0 or false_positives + false_negatives == 0:
            raise ValueError(
                f"weights of errors must be 0 or more, and not both 0, but got {false_positives=}, {false_negatives=}."
            )
        self.false_positives, self.false_negatives = false_positives, false_negatives
        self.background, self.over_batch, self.absent = background, over_batch, absent
        self.smooth, self.void = smooth, void

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mean over the classes."""
        return tversky(
            logits,
            target,
            false_positives=self.false_positives,
            false_negatives=self.false_negatives,
            background=self.background,
            over_batch=self.over_batch,
            absent=self.absent,
            smooth=self.smooth,
            void=self.void,
        )


class Dice(Tversky):
    """`dice` with its settings kept. Shape: logits (n, classes, *spatial), class ids (n, *spatial) -> ()."""

    def __init__(
        self,
        *,
        background: bool = False,
        over_batch: bool = False,
        absent: Absent = "count",
        smooth: float = 1e-5,
        void: int = VOID,
    ) -> None:
        super().__init__(background=background, over_batch=over_batch, absent=absent, smooth=smooth / 2, void=void)
