"""CIFAR-10, first 10,000 training images (9,000/1,000), the first 1,000 test images; 3 minutes each way, n seeds.

fieldcraft as a user types it against the tutorial loop with the same 3 minutes, in turn, in the same run.
Tuning looked at the 1,000 validation images only. Usage: python benchmarks/cifar10.py [SEEDS] [BUDGET_S [alone]]
With `alone` the tutorial loop is left out.
"""

import sys

from fieldcraft.data.open import open_data
from fits import fit
from result import summary, write
from tutorial import accuracy, train


def main(seeds: int = 3, budget_s: int = 180, *, alone: bool = False) -> None:
    data = open_data("cifar10")
    pixels, labels = data.inputs.pixels, data.targets.values
    test = data.given == "test"
    ours, theirs, seconds, winners, reached = [], [], [], [], []
    for seed in range(seeds):
        found = fit("cifar10", "--budget", f"{budget_s}s", "--set", "splits.validation=0.1", "--seed", str(seed))
        ours.append(100 * found.test("accuracy"))
        seconds.append(found.seconds)
        winners.append(found.results["winner"])
        reached.append(found.validation())
        print(f"seed {seed}: {ours[-1]:.1f}", file=sys.stderr)
        if alone:
            continue
        net, seen = train(
            pixels[~test], labels[~test], classes=10, seconds=budget_s, seed=seed, flip=True, threads=2
        )  # all 10,000: the null needs no validation part
        theirs.append(100 * accuracy(net, seen, pixels[test], labels[test]))
        print(f"against {theirs[-1]:.1f}", file=sys.stderr)
    gains = [a - b for a, b in zip(ours, theirs, strict=False)]
    beside = {"tutorial_loop": summary(theirs), "paired_gain": summary(gains)} if theirs else {}
    write(
        f"cifar10_{budget_s}s",
        "test accuracy in per cent on 1,000 images (one standard error is about 1 point); one look each",
        {
            "budget_s": budget_s,
            "fieldcraft": summary(ours),
            **beside,
            "wall_seconds": summary(seconds),
            "winners": winners,
            "validation_by_candidate": reached,
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), alone=sys.argv[3:] == ["alone"])
