"""How much the differences of a factor err together, because their folds share samples: seen, not assumed.

Each trial keeps what every block of samples did to its score. Folds are drawn anew for every pair, so that two pairs
meet samples that both were scored on: what those do to both differences alike is the covariance that more pairs do not
average away. Its estimate is the mean product over pairs of pairs, block by block: a variance clustered two ways, by
pair and by sample (Cameron, Gelbach and Miller 2011; in diagnostic studies, readers and cases: Gallas 2006).
It sees the samples that are scored on. What the choice of the samples that are trained on adds it does not see, and is
given as much again (`ALLOWED`); `benchmarks/proof_learners.py` holds both against learners on data drawn anew.
"""

import base64
import binascii
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fieldcraft.proof.pairing import Both

BLOCKS = 128
ALLOWED = 2.0
"""Times the covariance that is seen: for the samples scored on, and as much again for those trained on. A rule, held
against learners; nobody can estimate the second part from one data set."""

Numbers = npt.NDArray[np.float64]


def packed(blocks: Numbers | None) -> str:
    """Shares of the blocks as they stand in a journal; empty for none."""
    return "" if blocks is None else base64.b64encode(blocks.astype("<f4").tobytes()).decode()


def unpacked(text: str) -> Numbers | None:
    """The other way round; None where there are none, or not all of them."""
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
    except (ValueError, binascii.Error):
        return None
    return found.astype(np.float64) if len(found) == BLOCKS and np.isfinite(found).all() else None


def overlap(pairs: Sequence[Both], spread: float, assumed: float) -> float:
    """Covariance of two differences over the variance of one, never more than what is assumed without looking.

    `pairs`: those of which both trials have a score. `spread`: standard deviation of their differences. Where a trial
    kept no blocks, it is what is assumed.
    """
    shares = _shares(pairs)
    if shares is None or len(pairs) < 2 or not spread > 0:
        return assumed
    together = float((shares.sum(axis=0) ** 2).sum() - (shares**2).sum()) / (len(pairs) * (len(pairs) - 1))
    return min(assumed, ALLOWED * max(0.0, together) / spread**2)


def _shares(pairs: Sequence[Both]) -> Numbers | None:
    """Blocks of the differences. Shape: (pairs, blocks)."""
    found = []
    for both in pairs:
        on, off = unpacked(both.on.blocks), unpacked(both.off.blocks)
        if on is None or off is None:
            return None
        found.append(on - off)
    return np.stack(found) if found else None
