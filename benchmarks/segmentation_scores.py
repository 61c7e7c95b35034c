"""The measures of segmentation_claims.py: of masks, of a fold, and of differences between arms over pairs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import softmax

from fieldcraft.prediction.masks.ask import Logits
from fieldcraft.prediction.masks.components import filtered
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.rand import Membranes, best_threshold, rand_score
from fieldcraft.prediction.masks.score import score_case
from fieldcraft.records.masks import ComponentRule, ScoreSettings
from fieldcraft.verbs.masks.samples import MaskSamples
from result import summary

MEASURES = ("dice", "iou", "hd95_mm", "boundary_iou", "surface_dice")
OVERLAP = {"hd95_mm": "dice", "surface_dice": "dice", "boundary_iou": "iou"}  # what each is compared with
LARGEST = "largest_"  # before a measure: of the largest piece of each class, as hippocampi come one by one
LESS_IS_BETTER = ("hd95_mm", f"{LARGEST}hd95_mm", "membrane_hd95")
THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(1, 50))


def mean(values: Sequence[float | None]) -> float:
    return float(np.mean([one for one in values if one is not None]))


def scored(labels: Mapping[int, np.ndarray], samples: MaskSamples, settings: ScoreSettings) -> dict[str, float]:
    """Means over cases of the mean over classes; of membranes as a class too, where there are any."""
    names = samples.dataset.targets.names
    found: dict[str, list[float | None]] = {}
    for row, predicted in labels.items():
        pair = MaskPair(
            name=samples.dataset.ids[row], truth=np.asarray(samples.truth(row)).astype(np.int64),
            predicted=predicted, spacing=samples.case(row).geometry.spacing,
        )  # fmt: skip
        case = score_case(pair, names, settings)
        for measure in MEASURES:
            found.setdefault(measure, []).append(mean([getattr(one, measure) for one in case.classes]))
        if settings.membrane is None:
            largest = score_case(replace(pair, predicted=alone(predicted, len(names), pair.spacing)), names, settings)
            for measure in MEASURES:
                values = [getattr(one, measure) for one in largest.classes]
                found.setdefault(f"{LARGEST}{measure}", []).append(mean(values))
            continue
        found.setdefault("accuracy", []).append(case.accuracy)
        found.setdefault("rand_at_half", []).append(case.rand)
        turned = score_case(replace(pair, truth=1 - pair.truth, predicted=1 - predicted), names, ScoreSettings())
        found.setdefault("membrane_dice", []).append(turned.classes[0].dice)
        found.setdefault("membrane_hd95", []).append(turned.classes[0].hd95_mm)
    return {name: mean(values) for name, values in found.items()}


def alone(predicted: np.ndarray, classes: int, spacing: tuple[float, ...]) -> np.ndarray:
    """The largest piece of each class: what the component filter, which the plan of organs asks for, leaves."""
    rules = [ComponentRule(class_id=one, largest_only=True) for one in range(1, classes)]
    return filtered(predicted, rules, spacing).astype(np.int64)


def likeliest(logits: Mapping[int, Logits]) -> dict[int, np.ndarray]:
    return {row: one.argmax(axis=0).astype(np.int64) for row, one in logits.items()}


def rand_at_threshold(
    validation: Mapping[int, Logits], test: Mapping[int, Logits], samples: MaskSamples
) -> dict[str, float]:
    """The Rand score of cells at the probability of membrane that validation chose."""
    both = [{row: (samples.truth(row) != 0, softmax(one, axis=0)[0]) for row, one in part.items()} for part in
            (validation, test)]  # fmt: skip
    at = best_threshold([Membranes(*one) for one in both[0].values()])
    return {
        "rand": float(np.mean([rand_score(cells, found < at).score for cells, found in both[1].values()])),
        "threshold": at,
    }


def likes(validation: Mapping[int, Logits], samples: MaskSamples, thin: int) -> float:
    """The probability of class 1 from which on voxels are taken for it: best for the mean Dice of class `thin`."""
    cases = [(softmax(one, axis=0)[1], np.asarray(samples.truth(row)) == thin) for row, one in validation.items()]

    def value(at: float) -> float:
        found = [((share >= at) == (thin == 1), truth) for share, truth in cases]
        return mean([2 * float((a & b).sum()) / float(a.sum() + b.sum()) for a, b in found])

    return max(sorted(THRESHOLDS, key=lambda at: abs(at - 0.5)), key=value)


def moved(logits: Mapping[int, Logits], at: float) -> dict[int, Logits]:
    by = np.float32(math.log(at / (1 - at)))
    return {row: np.stack([one[0] + by, one[1]]) for row, one in logits.items()}


Scores = dict[int, dict[str, float]]


def difference(of: Scores, to: Scores) -> dict[str, object]:
    """Of each measure, over the pairs that both have; `reads` is better, worse or undecided by the interval."""
    both = sorted(of.keys() & to.keys())
    found: dict[str, object] = {}
    for name in next(iter(of.values())):
        values = [of[pair][name] - to[pair][name] for pair in both]
        found[name] = {**summary(values), "reads": reads(values, name)}
    return found


def reads(values: Sequence[float], name: str) -> str:
    ends = summary(values)["mean_95"]
    if ends is None or math.isnan(ends[0]) or ends[0] <= 0 <= ends[1]:
        return "undecided"
    return "better" if (ends[0] > 0) != (name in LESS_IS_BETTER) else "worse"


def error(scores: Mapping[str, float], name: str) -> float:
    """What is missing to the best."""
    return scores[name] if name in LESS_IS_BETTER else 1 - scores[name]


def relative(of: Scores, to: Scores) -> dict[str, object]:
    """By which factor errors shrink, and whether those at boundaries shrink by more than that of Dice.

    log(error / error), so that measures of different units can be compared; below 0 the arm is better.
    """
    both = sorted(of.keys() & to.keys())
    names = [name for name in next(iter(of.values())) if name.removeprefix(LARGEST) in MEASURES]
    logs = {name: [math.log(error(of[pair], name) / error(to[pair], name)) for pair in both] for name in names}
    overlap = {
        name: name.replace(kind, OVERLAP[kind]) for name in names if (kind := name.removeprefix(LARGEST)) in OVERLAP
    }
    beyond = {name: [a - b for a, b in zip(logs[name], logs[to], strict=True)] for name, to in overlap.items()}
    return {
        "log_error_ratio": {name: summary(values) for name, values in logs.items()},
        "beyond_overlap": {f"{name} beyond {overlap[name]}": summary(values) for name, values in beyond.items()},
    }


def means(scores: Scores) -> dict[str, object]:
    return {name: summary([one[name] for one in scores.values()]) for name in next(iter(scores.values()))}
