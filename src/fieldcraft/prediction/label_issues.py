"""Which labels are probably wrong: confident learning on out-of-fold probabilities.

Source: Northcutt, Jiang and Chuang 2021, Confident learning, JAIR 70, arXiv:1911.00068; by the library cleanlab.
Hurts: a class that the networks confuse with another one fills the list with right labels; rare classes suffer first.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.errors import MissingExtraError


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Samples by how much their label is in doubt."""

    suspects: npt.NDArray[np.int64]
    """Those that confident learning calls wrong, the most suspect first."""
    quality: npt.NDArray[np.float64]
    """(n,): probability of the given class."""


def rank_labels(given: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]) -> Ranking:
    """Rank labels (n,) by probabilities (n, classes) of models that did not learn from the sample itself.

    Raises: MissingExtraError without cleanlab.
    """
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise MissingExtraError("cleanlab", "labels", "finding probable label errors") from error
    found = find_label_issues(given, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    return Ranking(
        suspects=np.asarray(found, dtype=np.int64),
        quality=probabilities[np.arange(len(given)), given].astype(np.float64),
    )
