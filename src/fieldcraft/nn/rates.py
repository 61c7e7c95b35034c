"""Dilation rates that leave no holes and do not reach beyond the map; torch-free."""

from collections.abc import Sequence
from itertools import accumulate
from math import gcd


def leaves_holes(rates: Sequence[int], kernel: int = 3) -> bool:
    """Some position within the field of a chain of dilated convolutions is seen by none of its paths (gridding).

    Paths lead to the sums of a_i rate_i with a_i from 0 to kernel - 1, so that nothing is left out just when, in order
    of size, no rate is above 1 + (kernel - 1) times the sum of those below it. The order in the chain does not matter.

    Source: Wang et al. 2018, arXiv:1702.08502, section 3.2 (hybrid dilated convolution); their rule bounds the holes in
    the middle of the field, this one leaves none at its ends either.
    """
    ordered = sorted(rates)
    below = accumulate(((kernel - 1) * rate for rate in ordered), initial=0)
    return any(rate > 1 + seen for rate, seen in zip(ordered, below, strict=False))


def reach_of(rates: Sequence[int], kernel: int = 3) -> int:
    """Positions that a chain of convolutions sees, from its first to its last: 1 + (kernel - 1) sum of rates."""
    return 1 + (kernel - 1) * sum(rates)


def aspp_rates(size: int, *, count: int = 3, kernel: int = 3, reach: int | None = None) -> tuple[int, ...]:
    """Rates of parallel branches (atrous spatial pyramid pooling) on a map of `size` positions along an axis.

    About evenly spread, the largest such that from the middle of the map its outermost taps still lie on the map:
    beyond, a 3-tap kernel is a 1-tap one with padding around (Chen et al. 2017). No two have a common factor: branches
    that do look at one lattice, and what lies between is seen by none. With `reach`, positions that one of the map has
    already seen on the way (`reach_of`), no rate is above it, so that taps do not leave gaps between them.
    Fewer than `count` where the map is too small for as many; (1,) at least.

    Raises: ValueError when a number is below 1, or the kernel is not odd and above 1.
    Source: Chen et al. 2017, arXiv:1706.05587, section 3.3 (6, 12 and 18 on maps of 33); Wang et al. 2018,
    arXiv:1702.08502, section 3.2 (no common factors).
    """
    if min(size, count, reach or 1) < 1 or kernel < 3 or kernel % 2 == 0:
        raise ValueError(
            "a map, a number of branches and a reach from 1, and an odd kernel from 3, must be given, but got "
            f"{size=}, {count=}, {reach=}, {kernel=}."
        )
    largest = max(1, min((size - 1) // (kernel - 1), reach or size))
    chosen: list[int] = []
    for place in range(count, 0, -1):
        target = min(round(largest * place / count), chosen[-1] - 1 if chosen else largest)
        rate = next((r for r in range(target, 0, -1) if all(gcd(r, one) == 1 for one in chosen)), None)
        if rate is None:
            break
        chosen.append(rate)
    return tuple(reversed(chosen))
