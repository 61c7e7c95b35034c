"""Tables, 30 s, n seeds: what fieldcraft returns against cross-validated linear models, and who it says won.

Each seed parts the data anew. Usage: python benchmarks/tables.py [SEEDS] [BUDGET_S]
"""

import sys

import numpy as np
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fieldcraft.data.open import open_data
from fieldcraft.data.splits import part
from fieldcraft.plan.schema import Splits
from fits import fit
from result import summary, write


def reference(name: str, seed: int) -> float:
    """The same split: cross-validated logistic or ridge regression on training and validation rows together."""
    data = open_data(name)
    features, targets = data.inputs.frame.to_numpy(float), data.targets.values
    parts = part(data, Splits(), seed)
    known = np.concatenate([parts.train, parts.validation])
    if name == "breast-cancer":
        model = make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=10, cv=5, max_iter=2000))
        return float(100 * model.fit(features[known], targets[known]).score(features[parts.test], targets[parts.test]))
    model = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-2, 4, 25)))
    model.fit(features[known], targets[known, 0])
    return float(np.sqrt(np.mean((model.predict(features[parts.test]) - targets[parts.test, 0]) ** 2)))


def main(seeds: int = 5, budget_s: int = 30) -> None:
    measured = {}
    for name, metric, scale in (("breast-cancer", "accuracy", 100.0), ("diabetes", "rmse", 1.0)):
        ours, theirs, said, seconds = [], [], [], []
        for seed in range(seeds):
            found = fit(name, "--budget", f"{budget_s}s", "--seed", str(seed))
            ours.append(scale * found.test(metric))
            theirs.append(reference(name, seed))
            said.append(f"{found.results['winner']}: {found.results['verdict'][0]}")
            seconds.append(found.seconds)
            print(f"{name} seed {seed}: {ours[-1]:.2f} against {theirs[-1]:.2f}; {said[-1]}", file=sys.stderr)
        sign = 1 if metric == "accuracy" else -1
        measured[name] = {
            "metric": metric,
            "fieldcraft": summary(ours),
            "tuned_linear": summary(theirs),
            "paired_gain": summary([sign * (a - b) for a, b in zip(ours, theirs, strict=True)]),
            "wall_seconds": summary(seconds),
            "said_first": said,
        }
    write(
        f"tables_{budget_s}s",
        "test metric of the returned model; gain: positive is better than the reference",
        measured,
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
