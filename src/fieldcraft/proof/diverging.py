"""Does a factor make training diverge? A word by counting pairs, where there are no scores to compare."""

from collections.abc import Sequence
from math import log

from fieldcraft.proof.pairing import Both


def beyond_doubt(for_it: int, pairs: int, alpha: float) -> bool:
    """Whether one arm diverges more than the other, by the pairs in which only that arm did.

    If it did not, and trainings of one seed diverged independently or together, a pair in which only that arm diverges
    would have a chance of at most p (1 - p) <= 1/4. Under any such chance 3 to the power of (pairs with, less pairs
    without) never grows on average, so that it ever reaches 1 / alpha with a chance of at most alpha, whenever one
    looks (Ville 1939). Three to the power is the likelihood of a chance of 3/4 against that of 1/4.
    """
    return (2 * for_it - pairs) * log(3) >= -log(alpha)


def more_often(pairs: Sequence[Both], alpha: float) -> int:
    """1: the changed arm diverges more often than the base; -1: less often; 0: nothing is certain.

    At any of the numbers of pairs so far: what was once beyond doubt stays so. Either error has a chance of alpha / 2.
    """
    changed = base = 0
    for n, both in enumerate(pairs, start=1):
        changed += both.only_changed_diverged
        base += both.only_base_diverged
        if beyond_doubt(changed, n, alpha / 2):
            return 1
        if beyond_doubt(base, n, alpha / 2):
            return -1
    return 0


def further_pairs(pairs: Sequence[Both], alpha: float) -> int:
    """Pairs that are still missing if from now on only the arm that diverged more so far diverges, in each."""
    most = max(sum(both.only_changed_diverged for both in pairs), sum(both.only_base_diverged for both in pairs))
    more = 0
    while not beyond_doubt(most + more, len(pairs) + more, alpha / 2):
        more += 1
    return more
