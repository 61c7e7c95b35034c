"""Label errors in CIFAR-10N: does `fieldcraft labels` find labels that people got wrong?

The first 10,000 training images with human labels (Wei et al. 2022, arXiv:2110.12088): aggregate (majority of three),
random1 (one annotator), worst (a wrong one of three, where there is any). The truth is CIFAR-10's own label; it is
looked at after the ranking only. For each: a plan is drafted as `fieldcraft fit` drafts it, for the time of all folds
together; its largest rung of which LEAST_STEPS fit into the time of one fold (on a slow machine a small one) is trained
on all folds but one, for each fold, and confident learning ranks the labels. The null: precision of a random list,
which is the share of wrong labels.
Intervals: Wilson, 95 %.
Usage: python benchmarks/label_errors.py [FOLDS] [SECONDS A FOLD] [NOISE ...]; earlier results of other noises are kept.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from fieldcraft.data.dataset import Dataset, ImageArray, Targets
from fieldcraft.data.open import open_data
from fieldcraft.data.take import take
from fieldcraft.plan.schema import Rung
from fieldcraft.prediction.label_issues import rank_labels
from fieldcraft.tips.interface import StepTime
from fieldcraft.train.engine import restored
from fieldcraft.verbs.draft import Draft, draft
from fieldcraft.verbs.out_of_fold import Winner, out_of_fold, shortened
from result import RESULTS, write

NOISES = {"aggregate": "aggre_label", "random1": "random_label1", "worst": "worse_label"}
TARGETS = {"worst": 70.0, "random1": 55.0, "aggregate": 35.0}
LISTED = 200
LEAST_STEPS = 100


def noisy(noise: str) -> tuple[Dataset, np.ndarray]:
    """10,000 images with human labels, and the true ones."""
    data = open_data("cifar10")
    train = take(data, np.flatnonzero(data.given == "train")[:10_000])
    found = np.load(Path(os.environ["FIELDCRAFT_DATA"]) / "cifar10n" / "cifar10n_labels.npz")
    truth = found["clean_label"][:10_000].astype(np.int64)
    assert (truth == train.targets.values).all(), "the labels are of other images"
    values = found[NOISES[noise]][:10_000].astype(np.int64)
    targets = Targets(task="single-label", values=values, names=data.targets.names)
    assert isinstance(train.inputs, ImageArray)
    return replace(train, targets=targets, given=None, name=f"cifar10n-{noise}"), truth


def share(hits: int, n: int) -> dict[str, float]:
    """Per cent, with a Wilson interval."""
    p, z = hits / n, 1.96
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n))
    return {"percent": round(100 * p, 1), "low": round(100 * low, 1), "high": round(100 * high, 1), "n": n}


def fitting(drafted: Draft, fold_s: float) -> tuple[Rung, float]:
    """The rung that is trained, and how long a step of it takes, in seconds."""
    rungs = drafted.plan.ladder.rungs
    steps_s = [
        drafted.facts.measured[StepTime(plan=drafted.plan, rung=place).key].value / 1000 for place in range(len(rungs))
    ]
    enough = [place for place, rung in enumerate(rungs) if shortened(rung, steps_s[place], fold_s).steps >= LEAST_STEPS]
    chosen = max(enough, default=0)
    return rungs[chosen], steps_s[chosen]


def measured(noise: str, folds: int, fold_s: float) -> dict[str, object]:
    data, truth = noisy(noise)
    began = time.monotonic()
    drafted = draft(data, budget=folds * fold_s)
    network, step_s = fitting(drafted, fold_s)
    plan = replace(drafted.plan, ladder=replace(drafted.plan.ladder, baselines=(), rungs=(network,)))
    with tempfile.TemporaryDirectory() as cache, restored():
        probabilities = out_of_fold(
            data, Winner(plan=plan, step_s=step_s), drafted.facts, folds=folds, budget_s=folds * fold_s,
            cache=Path(cache), say=lambda text: print(noise, text, file=sys.stderr),
        )  # fmt: skip
    given = data.targets.values
    ranking = rank_labels(given, probabilities)
    wrong = given != truth
    first, flagged = ranking.suspects[:LISTED], ranking.suspects
    return {
        "wrong_labels_percent": round(100 * float(wrong.mean()), 2),
        "precision_of_200": share(int(wrong[first].sum()), len(first)),
        "recall_of_200": share(int(wrong[first].sum()), int(wrong.sum())),
        "flagged": len(flagged),
        "precision_of_flagged": share(int(wrong[flagged].sum()), len(flagged)),
        "recall_of_flagged": share(int(wrong[flagged].sum()), int(wrong.sum())),
        "suggested_is_true_among_flagged_wrong": share(
            int((probabilities.argmax(axis=1) == truth)[flagged][wrong[flagged]].sum()), int(wrong[flagged].sum())
        ),
        "agreement_with_given_percent": round(100 * float((probabilities.argmax(axis=1) == given).mean()), 1),
        "agreement_with_truth_percent": round(100 * float((probabilities.argmax(axis=1) == truth).mean()), 1),
        "target_precision_of_200_percent": TARGETS[noise],
        "rung": network.name,
        "steps_a_fold_at_most": shortened(network, step_s, fold_s).steps,
        "folds": folds,
        "seconds_a_fold": fold_s,
        "wall_seconds": round(time.monotonic() - began, 1),
    }


def main(folds: int = 5, fold_s: float = 75.0, *noises: str) -> None:
    path = RESULTS / "label_errors.json"
    kept = json.loads(path.read_text())["measured"] if path.exists() else {}
    for noise in noises or tuple(NOISES):
        kept[noise] = measured(noise, folds, fold_s)
        print(noise, json.dumps(kept[noise], indent=1), file=sys.stderr)
        write("label_errors", "one run for each noise; 10,000 images of CIFAR-10N, labels by people", kept)


if __name__ == "__main__":
    main(
        *(int(argument) for argument in sys.argv[1:2]), *(float(argument) for argument in sys.argv[2:3]), *sys.argv[3:]
    )
