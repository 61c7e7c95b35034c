"""scikit-learn's digits, 60 s, n seeds: fieldcraft against the best scikit-learn classifier tuned in the same minute.

Each seed parts the data anew (80/20); both sides see the same training and test rows. The tuner searches support
vector machines, nearest neighbours, logistic regression, forests and boosting at random under the clock.
Usage: python benchmarks/digits.py [SEEDS] [BUDGET_S]
"""

import sys
import time
import warnings

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from fieldcraft.data.open import open_data
from fieldcraft.data.splits import part
from fieldcraft.plan.schema import Splits
from fits import fit
from result import summary, write


def draw(rng: np.random.Generator) -> object:
    """One random candidate."""
    kind = rng.integers(6)
    if kind <= 1:
        return SVC(C=10 ** rng.uniform(-1, 3), gamma=10 ** rng.uniform(-4.5, -2))
    if kind == 2:
        return KNeighborsClassifier(int(rng.integers(1, 10)), weights=str(rng.choice(["uniform", "distance"])))
    if kind == 3:
        return make_pipeline(StandardScaler(), LogisticRegression(C=10 ** rng.uniform(-3, 2), max_iter=500))
    if kind == 4:
        forest = ExtraTreesClassifier if rng.random() < 0.5 else RandomForestClassifier
        return forest(300, max_features=float(rng.uniform(0.05, 0.5)), n_jobs=2, random_state=0)
    return HistGradientBoostingClassifier(learning_rate=10 ** rng.uniform(-1.5, -0.3), max_iter=100)


def tuned(features: np.ndarray, labels: np.ndarray, seconds: float, seed: int) -> tuple[object, int]:
    """The best of as many random candidates as fit into the time, by five-fold cross-validation."""
    rng, began, best, tried = np.random.default_rng(seed), time.perf_counter(), (-1.0, None), 0
    while time.perf_counter() - began < seconds:
        candidate = draw(rng)
        best = max(best, (cross_val_score(candidate, features, labels, cv=5).mean(), candidate), key=lambda one: one[0])
        tried += 1
    return best[1].fit(features, labels), tried


def main(seeds: int = 5, budget_s: int = 60) -> None:
    warnings.simplefilter("ignore")
    data = open_data("digits")
    features = data.inputs.pixels.reshape(len(data), -1).astype(np.float64)
    labels = data.targets.values
    ours, theirs, seconds, names = [], [], [], []
    for seed in range(seeds):
        found = fit("digits", "--budget", f"{budget_s}s", "--seed", str(seed))
        parts = part(data, Splits(), seed)
        known = np.concatenate([parts.train, parts.validation])
        best, tried = tuned(features[known], labels[known], budget_s, seed)
        ours.append(100 * found.test("accuracy"))
        theirs.append(100 * best.score(features[parts.test], labels[parts.test]))
        seconds.append(found.seconds)
        names.append(f"{type(best).__name__} of {tried}; ours: {found.results['winner']}")
        print(f"seed {seed}: {ours[-1]:.2f} against {theirs[-1]:.2f} ({names[-1]})", file=sys.stderr)
    write(
        f"digits_{budget_s}s",
        "test accuracy in per cent on 360 images a split",
        {
            "budget_s": budget_s,
            "fieldcraft": summary(ours),
            "tuned_scikit_learn": summary(theirs),
            "paired_gain": summary([a - b for a, b in zip(ours, theirs, strict=True)]),
            "wall_seconds": summary(seconds),
            "chosen": names,
        },
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
