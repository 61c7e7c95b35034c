"""PneumoniaMNIST (MedMNIST v2), official parts, 3 minutes on one core, n seeds: accuracy and AUROC on 624 test images.

As many fits at a time as there are cores, each on one: half of the machine that the target allows. One standard error
of the accuracy is 1.2 points for the test images alone. Beside it: the null (the larger class), and what MedMNIST v2
(Yang et al. 2023) has in its table.
Usage: python benchmarks/pneumoniamnist.py [SEEDS] [BUDGET_S]
"""

import sys
from functools import partial

import numpy as np

from fits import DATA, Fit, fit, side_by_side
from result import summary, write

FILE = DATA / "pneumoniamnist" / "pneumoniamnist.npz"
TARGETS = {"accuracy": 0.89, "auroc": 0.955}
PUBLISHED = {
    "ResNet-18 at 28 px": (0.854, 0.944), "ResNet-50 at 224 px": (0.884, 0.962), "auto-sklearn": (0.855, 0.942),
    "AutoKeras": (0.878, 0.947), "Google AutoML Vision": (0.946, 0.991),
}  # fmt: skip


def one(seed: int, budget_s: int, core: int) -> Fit:
    return fit(str(FILE), "--budget", f"{budget_s}s", "--seed", str(seed), core=core)


def main(seeds: int = 10, budget_s: int = 180) -> None:
    labels = np.load(FILE)["test_labels"].ravel()
    done: list[Fit] = []
    for found in side_by_side([partial(one, seed, budget_s) for seed in range(seeds)]):
        done.append(found)
        write(
            f"pneumoniamnist_{budget_s}s",
            f"fieldcraft fit --budget {budget_s}s on one core each; test part, one look a seed",
            {
                "accuracy": summary([each.test("accuracy") for each in done]),
                "auroc": summary([each.test("auroc") for each in done]),
                "targets": TARGETS,
                "larger_class": float(np.bincount(labels).max() / len(labels)),
                "published_accuracy_and_auroc": PUBLISHED,
                "wall_seconds": summary([each.seconds for each in done]),
                "winners": [each.results["winner"] for each in done],
                "validation_by_candidate": [each.validation() for each in done],
            },
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
