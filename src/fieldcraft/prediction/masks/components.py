"""Pieces of a class: keep the largest, drop small ones, fill holes; each only where validation says that it helps.

Helps: organs of which there is one, and specks far from them. Hurts: lesions, of which there are many, some small; so
rules are sought class by class and kept by the paired rule of `choice`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import binary_fill_holes, generate_binary_structure, label

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.choice import choose, measure
from fieldcraft.prediction.masks.class_boundary import DEFAULT
from fieldcraft.prediction.masks.pair import Labels, Mask, MaskPair, Spacing, box
from fieldcraft.prediction.metrics import Array
from fieldcraft.records.masks import ComponentRule, Refinement, ScoreSettings

SHARES = (0.01, 0.03, 0.1, 0.3)
"""Of the median volume of true pieces: the limits that are tried."""


def filtered(mask: Labels, rules: Sequence[ComponentRule], spacing: Spacing) -> Labels:
    """A mask after the rules, one class after another; it is not changed itself. Holes are filled first.

    What is dropped becomes background; only background is filled.
    """
    found = mask.copy()
    for rule in rules:
        of_class = found == rule.class_id
        if not of_class.any():
            continue
        around = box(of_class)
        inner, part = of_class[around], found[around]
        if rule.fill_holes:
            holes = binary_fill_holes(inner) & (part == 0)
            part[holes] = rule.class_id
            inner = inner | holes
        if rule.largest_only or rule.least_mm:
            part[inner & ~_kept(inner, rule, spacing)] = 0
    return found


def piece_volumes(mask: Mask, spacing: Spacing) -> Array:
    """Of each piece, in mm^3 (mm^2 in 2-D); pieces touch by faces, edges or corners."""
    pieces, count = label(mask, generate_binary_structure(mask.ndim, mask.ndim))
    return np.bincount(pieces.ravel(), minlength=count + 1)[1:].astype(np.float64) * float(np.prod(spacing))


def candidates(class_id: int, typical_mm: float) -> tuple[ComponentRule, ...]:
    """Rules that are tried for a class whose pieces have this volume, the gentlest first."""
    limits = [ComponentRule(class_id=class_id, least_mm=share * typical_mm) for share in SHARES]
    return (
        ComponentRule(class_id=class_id, fill_holes=True),
        *limits,
        ComponentRule(class_id=class_id, largest_only=True),
        ComponentRule(class_id=class_id, largest_only=True, fill_holes=True),
    )


def fit_components(
    pairs: Sequence[MaskPair],
    classes: int,
    settings: ScoreSettings = DEFAULT,
    seed: int = 0,
    *,
    names: Sequence[str] = (),
) -> tuple[tuple[ComponentRule, ...], tuple[Refinement, ...]]:
    """The rules to use and, for each class, why; the Dice of the class decides, and each class builds on those before.

    The volumes that are tried follow the median true piece of these cases; which of them is taken is cross-fitted.
    `names`: of the classes by id, if reasons should call them by name. Raises: DataError without cases.
    """
    if not pairs:
        raise DataError("rules for components are sought on validation cases, but got none.")
    plain_settings = replace(settings, membrane=None)
    rules: list[ComponentRule] = []
    said = []
    for class_id in range(1, classes):
        volumes = np.concatenate([piece_volumes(pair.truth == class_id, pair.spacing) for pair in pairs])
        if not len(volumes):
            continue
        tried = candidates(class_id, float(np.median(volumes)))
        so_far = [_after(pair, rules) for pair in pairs]
        chosen = choose(
            f"components of {_named(class_id, names)}",
            [_words(one, f"{settings.unit}^{pairs[0].truth.ndim}") for one in tried],
            [[measure(_after(pair, [one]), [class_id], plain_settings) for pair in so_far] for one in tried],
            [measure(pair, [class_id], plain_settings) for pair in so_far],
            [pair.unit for pair in pairs],
            seed,
        )
        said.append(chosen.refinement)
        if chosen.refinement.kept:
            rules.append(tried[chosen.best])
    return tuple(rules), tuple(said)


def _kept(mask: Mask, rule: ComponentRule, spacing: Spacing) -> Mask:
    pieces, count = label(mask, generate_binary_structure(mask.ndim, mask.ndim))
    volumes = np.bincount(pieces.ravel(), minlength=count + 1) * float(np.prod(spacing))
    stays = volumes >= rule.least_mm
    if rule.largest_only:
        stays &= np.arange(count + 1) == 1 + int(np.argmax(volumes[1:]))
    stays[0] = False
    found: Mask = stays[pieces]
    return found


def _after(pair: MaskPair, rules: Sequence[ComponentRule]) -> MaskPair:
    return MaskPair(
        name=pair.name,
        truth=pair.truth,
        predicted=filtered(pair.predicted, rules, pair.spacing),
        spacing=pair.spacing,
        group=pair.group,
    )


def _named(class_id: int, names: Sequence[str]) -> str:
    name = names[class_id] if names else str(class_id)
    return f"class {name}" if name.isdigit() else name


def _words(rule: ComponentRule, unit: str) -> str:
    parts = [
        *(["holes filled"] if rule.fill_holes else []),
        *(["the largest piece alone"] if rule.largest_only else []),
        *([f"no pieces below {rule.least_mm:.3g} {unit}"] if rule.least_mm else []),
    ]
    return ", ".join(parts)
