"""Stochastic depth: in training, single samples go without a branch."""

from collections.abc import Sequence

from torch import Tensor


def drop_path(branch: Tensor, share: float, *, training: bool) -> Tensor:
    """Zero the branch for a random `share` of the samples; the others are made larger so that the mean stays.

    Row mode: each sample of (n, ...) is kept or dropped as a whole. With a share of 0, or not in training, it is the
    identity. Draws from torch's generator of the tensor's device.
    Hurts: shallow nets, and training that is too short to fit the data without it.
    Source: Huang et al. 2016, arXiv:1603.09382; scaled in training, as dropout is, rather than in evaluation.
    Raises: ValueError when the share is outside [0, 1).
    """
    if not 0 <= share < 1:
        raise ValueError(f"`0 <= share < 1` must hold, but got {share=}.")
    if share == 0 or not training:
        return branch
    kept = branch.new_empty((len(branch), *(1 for _ in branch.shape[1:]))).bernoulli_(1 - share)
    return branch * (kept / (1 - share))


def linear_shares(last: float, depths: Sequence[int]) -> tuple[tuple[float, ...], ...]:
    """The share of each block of each stage: block l of L drops `last * l / L`, so that early features stay."""
    blocks = sum(depths)
    shares = [last * (place + 1) / blocks for place in range(blocks)]
    ends = [sum(depths[: stage + 1]) for stage in range(len(depths))]
    return tuple(tuple(shares[end - depth : end]) for end, depth in zip(ends, depths, strict=True))
