"""The parameters of the CRF, sought on validation; kept only where validation improves.

The rule: three strengths of smoothing alone, then two weights at two widths and two tolerances of intensity beside the
weakest smoothing. Widths are in voxels of the finest axis, the same in mm for all cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product

import numpy as np

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.choice import choose, measure
from fieldcraft.prediction.masks.class_boundary import DEFAULT
from fieldcraft.prediction.masks.dense_crf import Volume, mean_field, neighbours, standardised
from fieldcraft.prediction.masks.pair import Labels, MaskPair, Spacing
from fieldcraft.records.masks import DenseCrf, Refinement, ScoreSettings
from fieldcraft.records.streams import stream_seed

SMOOTH_WEIGHTS = (0.5, 1.0, 2.0)
NEAR_WEIGHTS = (1.0, 2.0)
NEAR_VOXELS = (2.0, 4.0)
TONES = (0.3, 0.6)
MOST_CASES = 16
"""Of validation that the search looks at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predicted:
    """A validation case as the network left it."""

    name: str
    image: Volume
    """(channels, *spatial)."""
    logits: Volume
    """(classes, *spatial), calibrated."""
    truth: Labels
    """(*spatial)."""
    spacing: Spacing
    group: str = ""

    def pair(self, predicted: Labels) -> MaskPair:
        """The truth beside some prediction."""
        return MaskPair(name=self.name, truth=self.truth, predicted=predicted, spacing=self.spacing, group=self.group)


def candidates(finest_mm: float) -> tuple[DenseCrf, ...]:
    """Those of the rule, the gentlest first."""
    alone = [DenseCrf(smooth_weight=one, smooth_mm=finest_mm, near_weight=0.0) for one in SMOOTH_WEIGHTS]
    alike = [
        replace(alone[0], near_weight=weight, near_mm=voxels * finest_mm, tone=tone)
        for voxels, tone, weight in product(NEAR_VOXELS, TONES, NEAR_WEIGHTS)
    ]
    return (*alone, *alike)


def fit_crf(
    cases: Sequence[Predicted], settings: ScoreSettings = DEFAULT, most_cases: int = MOST_CASES, seed: int = 0
) -> tuple[DenseCrf | None, Refinement]:
    """The CRF to use, or None, and why.

    Of more than `most_cases` cases as many are drawn. Cost: about six lattices and 80 filters of each case.
    Raises: DataError without cases.
    """
    if not cases:
        raise DataError("a CRF is fitted on validation cases, but got none.")
    drawn = _drawn(cases, most_cases, seed)
    tried = candidates(float(np.median([min(case.spacing) for case in drawn])))
    classes = range(1, len(drawn[0].logits))
    plain = [measure(case.pair(case.logits.argmax(axis=0)), classes, settings) for case in drawn]
    by_case = []
    for case in drawn:
        found = [measure(case.pair(labels), classes, settings) for labels in _refined(case, tried)]
        by_case.append(found)
    chosen = choose(
        "dense CRF",
        [in_words(one, settings.unit) for one in tried],
        list(zip(*by_case, strict=True)),
        plain,
        [case.group or case.name for case in drawn],
        seed,
    )
    return (tried[chosen.best] if chosen.refinement.kept else None), chosen.refinement


def _refined(case: Predicted, tried: Sequence[DenseCrf]) -> list[Labels]:
    """What each candidate makes of a case; those that differ in weights alone share their kernels."""
    found: list[Labels] = []
    tones = standardised(case.image)
    for _, same in groupby(tried, key=lambda one: (one.smooth_mm, one.near_mm, one.tone)):
        alike = list(same)
        around = neighbours(tones, case.spacing, alike[0])
        found += [mean_field(case.logits, around, one).argmax(axis=0) for one in alike]
    return found


def _drawn(cases: Sequence[Predicted], most: int, seed: int) -> list[Predicted]:
    if len(cases) <= most:
        return list(cases)
    picked = np.random.default_rng(stream_seed(seed, "cases of a CRF search")).choice(len(cases), most, replace=False)
    return [cases[one] for one in sorted(picked.tolist())]


def in_words(crf: DenseCrf, unit: str) -> str:
    """What it does, short."""
    smooth = f"smoothing {crf.smooth_weight:g} over {crf.smooth_mm:g} {unit}"
    if not crf.near_weight:
        return smooth
    return f"{smooth}, alike {crf.near_weight:g} over {crf.near_mm:g} {unit} within {crf.tone:g} deviations"
