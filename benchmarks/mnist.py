"""MNIST, official split, 3 minutes, n seeds: accuracy, wall clock, time until the first network's turn, peak memory.

Usage: python benchmarks/mnist.py [SEEDS] [BUDGET_S]
"""

import sys

from fits import fit
from result import summary, write


def main(seeds: int = 3, budget_s: int = 180) -> None:
    accuracies, seconds, starts, peaks, winners = [], [], [], [], []
    for seed in range(seeds):
        found = fit("mnist", "--budget", f"{budget_s}s", "--seed", str(seed))
        accuracies.append(100 * found.test("accuracy"))
        seconds.append(found.seconds)
        before = ("start and data", "facts", "measurements", "data", "baselines")
        starts.append(sum(found.results["seconds"].get(stage, 0.0) for stage in before))
        peaks.append(found.results["peak_memory_mib"])
        winners.append(found.results["winner"])
        print(f"seed {seed}: {accuracies[-1]:.2f} in {seconds[-1]:.1f} s", file=sys.stderr)
    write(
        f"mnist_{budget_s}s",
        "test accuracy in per cent on the 10,000 test images, one look a seed",
        {
            "budget_s": budget_s,
            "accuracy": summary(accuracies),
            "wall_seconds": summary(seconds),
            "seconds_before_the_networks": summary(starts),
            "peak_memory_mib": summary(peaks),
            "winners": winners,
        },
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
