"""The worst cases as slices, with truth and prediction as outlines and a map of what is wrong."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from markupsafe import Markup

from fieldcraft.records.mask_results import MaskResults
from fieldcraft.records.masks import CaseScores
from fieldcraft.report.mask_measures import Measures, class_words
from fieldcraft.report.outlines import Slice, mistaken, outlined
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number, shortened

OPEN = 4
"""Cases that are shown at once; the others are folded."""
WHOLE = "all of it"
"""What folders of before say of a picture that has no other slices."""


@dataclass(frozen=True)
class Pair:
    """One slice, drawn twice."""

    outlines: Markup
    errors: Markup
    where: str


@dataclass(frozen=True)
class ShownCase:
    """A case and its slices."""

    name: str
    told: str
    """Its measures in words."""
    slices: tuple[Pair, ...]


@dataclass(frozen=True)
class ShownCases:
    """The worst cases first."""

    first: tuple[ShownCase, ...]
    folded: tuple[ShownCase, ...]
    background: str
    """Class 0 as people read it."""
    mixed: bool
    """Whether classes can be taken for each other."""
    void: bool
    """Whether there are voxels without a label."""
    lying: bool
    """Whether it is known where the patient's sides are."""
    parts: bool
    """Whether slices are parts of their cases."""


def shown_cases(run: Run, found: MaskResults, measures: Measures) -> ShownCases | None:
    """Of `thumbnails.npz`; None where it holds no slices."""
    slices = _slices(run)
    if not slices:
        return None
    scores = {case.case: case for case in found.cases}
    cases = tuple(
        _case(name, scores.get(name), [(slice_, where) for _, slice_, where in group], measures)
        for name, group in groupby(slices, key=lambda one: one[0])
    )
    return ShownCases(
        first=cases[:OPEN],
        folded=cases[OPEN:],
        background=class_words(found.names[0]),
        mixed=len(found.names) > 2,
        void=any(bool((one.truth < 0).any()) for _, one, _ in slices),
        lying=any(one.ends for _, one, _ in slices),
        parts=any(where for _, _, where in slices),
    )


def _slices(run: Run) -> list[tuple[str, Slice, str]]:
    """Case, slice, and which one it is; slices whose arrays are not there are left out."""
    ids, where = run.pixels.get("case_ids"), run.pixels.get("case_slices")
    if ids is None or where is None:
        return []
    count = len(ids)
    ends = run.pixels.get("case_ends", np.full(count, ""))
    pixels = run.pixels.get("case_pixels", np.ones((count, 2)))
    slices = []
    for place in range(count):
        arrays = [run.pixels.get(f"case_{place}_{name}") for name in ("image", "truth", "predicted", "uncertainty")]
        image, truth, predicted, uncertainty = arrays
        if image is None or truth is None or predicted is None or uncertainty is None:
            continue
        pixel = float(pixels[place][0]), float(pixels[place][1])
        slice_ = Slice(image, truth, predicted, uncertainty, pixel, str(ends[place]))
        slices.append((str(ids[place]), slice_, "" if where[place] == WHOLE else str(where[place])))
    return slices


def _case(name: str, scores: CaseScores | None, slices: list[tuple[Slice, str]], measures: Measures) -> ShownCase:
    short = shortened(name, 60)
    pairs = tuple(
        Pair(
            outlined(slice_, f"Truth and prediction as outlines, {short} {where}".strip()),
            mistaken(slice_, f"Wrong and unsure voxels, {short} {where}".strip()),
            where,
        )
        for slice_, where in slices
    )
    return ShownCase(short, _told(scores, measures) if scores else "", pairs)


def _told(scores: CaseScores, measures: Measures) -> str:
    many = len(scores.classes) > 1
    parts = []
    for row in scores.classes:
        if row.dice is None:
            continue
        far = f", HD95 {number(row.hd95_mm)} {measures.unit}" if row.hd95_mm is not None else ""
        parts.append(f"{f'{class_words(row.class_name)}: ' if many else ''}Dice {number(row.dice)}{far}")
    if scores.rand is not None:
        parts.append(f"Rand score {number(scores.rand)}")
    return "; ".join(parts) or "none of the classes is in it"
