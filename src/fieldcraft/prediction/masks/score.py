"""Cases into rows: every measure of each class of each case."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from fieldcraft.prediction.masks.class_boundary import DEFAULT, ClassBoundary
from fieldcraft.prediction.masks.overlap import Confusion, confusion, dice, iou, pixel_accuracy
from fieldcraft.prediction.masks.pair import Mask, MaskPair
from fieldcraft.prediction.masks.rand import rand_score
from fieldcraft.records.masks import CaseScores, MaskScores, ScoreSettings


def score_cases(
    pairs: Iterable[MaskPair], names: Sequence[str], settings: ScoreSettings = DEFAULT
) -> tuple[CaseScores, ...]:
    """The measures of all cases, in their order; cases may come from a generator and are not kept.

    `names`: of the classes by id, background first.
    """
    return tuple(score_case(pair, names, settings) for pair in pairs)


def score_case(
    pair: MaskPair, names: Sequence[str], settings: ScoreSettings = DEFAULT, cells: Mask | None = None
) -> CaseScores:
    """The measures of one case. Raises: DataError for a class id without a name.

    `cells`: (*spatial), where the prediction sees cells, for the Rand score; None: wherever its mask has no membrane.
    """
    counts = confusion(pair, len(names))
    rows = tuple(_row(pair, one, names[one], counts, settings) for one in range(1, len(names)))
    found = CaseScores(case=pair.name, unit=pair.unit, accuracy=_known(pixel_accuracy(counts)), classes=rows)
    if settings.membrane is None or pair.truth.ndim not in (2, 3):
        return found
    true_cells, seen = pair.cells(settings.membrane)
    parted = rand_score(true_cells, seen if cells is None else cells)
    return CaseScores(
        case=found.case,
        unit=found.unit,
        accuracy=found.accuracy,
        classes=rows,
        rand=_known(parted.score),
        rand_split=_known(parted.split),
        rand_merge=_known(parted.merge),
    )


def _row(pair: MaskPair, class_id: int, name: str, counts: Confusion, settings: ScoreSettings) -> MaskScores:
    boundary = ClassBoundary(pair, class_id, settings)
    return MaskScores(
        case=pair.name,
        class_id=class_id,
        class_name=name,
        truth_voxels=int(counts[class_id].sum()),
        predicted_voxels=int(counts[:, class_id].sum()),
        dice=_known(dice(counts)[class_id]),
        iou=_known(iou(counts)[class_id]),
        hd95_mm=_known(boundary.hd95_mm),
        surface_dice=_known(boundary.surface_dice),
        boundary_iou=_known(boundary.boundary_iou),
    )


def _known(value: float | np.float64) -> float | None:
    return None if math.isnan(value) else float(value)
