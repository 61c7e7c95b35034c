"""Whether a last step is kept: chosen by cross-fitting on validation, judged by a paired interval over cases.

Units (groups, or cases without one) are dealt into folds. For each fold the candidate is used that is best on the
others, so no case is judged by a choice that it took part in. The step is kept only where the interval of the paired
gain lies above zero; then the candidate that is best on all of validation is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from fieldcraft.prediction.masks.by_class import LESS_IS_BETTER
from fieldcraft.prediction.masks.class_boundary import ClassBoundary
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.rand import rand_score
from fieldcraft.prediction.masks.summary import mean_over_cases
from fieldcraft.prediction.metrics import Array
from fieldcraft.records.masks import Change, Refinement, ScoreSettings
from fieldcraft.records.results import Estimate
from fieldcraft.records.streams import stream_seed

FOLDS = 5
LEVEL = 0.95
WORDS = {"rand": "Rand score", "dice": "mean Dice", "boundary_iou": "boundary IoU", "hd95_mm": "HD95"}


@dataclass(frozen=True)
class Chosen:
    """What came of a search."""

    best: int
    """The candidate that is best on all of validation; used only if the refinement is kept."""
    refinement: Refinement


def measure(pair: MaskPair, classes: Sequence[int], settings: ScoreSettings) -> dict[str, float]:
    """What judges a step on one case, the deciding measure first: the Rand score of membranes, or the mean Dice.

    Means over the given classes. A class that is neither there nor predicted is as good as can be here: removing what
    was imagined is a gain.
    """
    rows = np.array([_of_class(pair, one, settings) for one in classes]).mean(axis=0)
    found = dict(zip(("dice", "boundary_iou", "hd95_mm"), rows.tolist(), strict=True))
    if settings.membrane is None:
        return found
    score = rand_score(*pair.cells(settings.membrane)).score
    return {"rand": float(np.nan_to_num(score, nan=1.0)), **found}


def choose(
    name: str,
    candidates: Sequence[str],
    scored: Sequence[Sequence[Mapping[str, float]]],
    plain: Sequence[Mapping[str, float]],
    units: Sequence[str],
    seed: int = 0,
) -> Chosen:
    """Whether to keep the best of some candidates, what it changes, and why.

    `candidates`: in words, the gentlest first: of those that tie the first is taken. `scored`: what `measure` says of
    each candidate on each case; `plain`: of each case as it is. The first measure decides.
    """
    deciding, *_ = names = list(plain[0])
    table = {one: np.array([[case[one] for case in cases] for cases in scored]) for one in names}
    before = {one: np.array([case[one] for case in plain]) for one in names}
    sign = -1.0 if deciding in LESS_IS_BETTER else 1.0
    fold = _folds(units, seed)
    best = int(np.argmax(sign * table[deciding].mean(axis=1)))
    if fold.max() == 0:
        picked = np.full(len(units), best)
    else:
        picked = np.array([int(np.argmax(sign * table[deciding][:, fold != one].mean(axis=1))) for one in fold])
    at = np.arange(len(units))
    changes = {one: _change(one, before[one], table[one][picked, at], units, seed) for one in names}
    gain = changes[deciding].gain
    kept = gain is not None and gain.low > 0
    return Chosen(
        best=best,
        refinement=Refinement(
            name=name,
            kept=kept,
            because=_because(deciding, changes, len(candidates), int(fold.max()) + 1, len(units)),
            chosen=candidates[best],
            candidates=len(candidates),
            changes=changes,
        ),
    )


def paired_gain(gains: Array, units: Sequence[str], repeats: int = 1000, seed: int = 0) -> Estimate | None:
    """The mean gain over cases with a 95 % interval: the wider of the bootstrap over units and t over their means.

    The bootstrap alone is too narrow for few units. None for a single unit, which says nothing of others.
    """
    _, member = np.unique(np.array(units), return_inverse=True)
    means = np.bincount(member, weights=gains) / np.bincount(member)
    if len(means) < 2:
        return None
    found = mean_over_cases(gains, units, repeats, seed)
    half = float(t.ppf((1 + LEVEL) / 2, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5)
    return Estimate(
        value=found.value, low=min(found.low, found.value - half), high=max(found.high, found.value + half), n=found.n
    )


def _of_class(pair: MaskPair, class_id: int, settings: ScoreSettings) -> tuple[float, float, float]:
    truth, predicted = pair.masks(class_id)
    size = int(truth.sum()) + int(predicted.sum())
    if not size:
        return 1.0, 1.0, 0.0
    boundary = ClassBoundary(pair, class_id, settings)
    return 2 * int((truth & predicted).sum()) / size, boundary.boundary_iou, boundary.hd95_mm


def _folds(units: Sequence[str], seed: int) -> npt.NDArray[np.intp]:
    """The fold of each case; all cases of a unit are in one."""
    names, member = np.unique(np.array(units), return_inverse=True)
    order = np.random.default_rng(stream_seed(seed, "folds of a last step")).permutation(len(names))
    found: npt.NDArray[np.intp] = (order % min(FOLDS, len(names)))[member]
    return found


def _change(name: str, before: Array, after: Array, units: Sequence[str], seed: int) -> Change:
    gains = before - after if name in LESS_IS_BETTER else after - before
    return Change(before=float(before.mean()), after=float(after.mean()), gain=paired_gain(gains, units, seed=seed))


def _because(deciding: str, changes: Mapping[str, Change], tried: int, folds: int, cases: int) -> str:
    """The gain, how sure it is, and what happened at boundaries."""
    gain = changes[deciding].gain
    if gain is None:
        return "all validation cases are of one group: nothing to cross-fit on, so nothing is kept"
    said = (
        f"{WORDS[deciding]} {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) on {cases} validation cases, "
        f"the best of {tried} cross-fitted over {folds} folds: "
        f"{'kept' if gain.low > 0 else 'not kept, since it may be nought or a loss'}"
    )
    rest = [f"{WORDS[one]} from {c.before:.3f} to {c.after:.3f}" for one, c in changes.items() if one != deciding]
    return f"{said}. Beside it: {', '.join(rest)}."
