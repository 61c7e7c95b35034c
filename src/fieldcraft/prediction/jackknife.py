"""What each block of samples does to a metric: the jackknife that leaves one block out at a time."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


def influence(
    score: Callable[[npt.NDArray[np.intp]], float], block: npt.NDArray[np.integer], blocks: int
) -> Numbers | None:
    """The share that each block has in a score, from the scores without it. Shape: (blocks,).

    `score`: the metric on some rows. `block`: of each row, below `blocks`. For a mean over rows the share is the sum of
    the block's deviations from that mean over the number of rows, and shares sum to nought; for other metrics so to
    first order. None where a score without some block is no number, such as AUROC without one of the classes.
    Source: Busing, Meijer and van der Leeden 1999, delete-m jackknife for unequal m.
    """
    rows = np.arange(len(block))
    whole = score(rows)
    found = np.zeros(blocks)
    for one in np.unique(block):
        rest = rows[block != one]
        if not len(rest):
            return None
        found[one] = (whole - score(rest)) * len(rest) / len(rows)
    return found if np.isfinite(found).all() else None
