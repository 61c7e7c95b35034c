"""Do the intervals of a proof hold for real trainings, whose folds share samples? Learners on data drawn anew.

Every proof draws a data set and 32 pairs; each pair draws a fold (a fifth), trains both arms on nine tenths of the rest
and is scored on the fold, as `fieldcraft prove` does. Two truths are held against the intervals: the mean difference
over all data sets, and that of learners trained on this very data, on 1,000 new samples.
common_error: the covariance of two differences over the variance of one; seen, over all data sets; as a proof estimates
it from its own pairs (with `ALLOWED`, and never more than what is assumed); assumed by Nadeau and Bengio 2003.
missed: how often an interval misses the truth at any look until 32 pairs, where 5 % are stated: as a proof makes it,
with the assumed common error, and with none. width: of its interval at 32 pairs over that with the assumed error.
Errors are standard errors. One core, some five minutes.
Usage: python benchmarks/proof_learners.py [PROOFS]
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from fieldcraft.prediction.jackknife import influence
from fieldcraft.proof.common_error import BLOCKS, overlap, packed
from fieldcraft.proof.interval import half_width
from fieldcraft.proof.looks import looks
from fieldcraft.proof.pairing import Both
from fieldcraft.proof.rules import Rules
from fieldcraft.records.proof import Arm, Outcome, Trial
from proof_method import share
from result import write

Numbers = npt.NDArray[np.float64]
Drawn = np.random.Generator
Learner = Callable[[Drawn, Numbers, Numbers, Numbers], Numbers]
"""Random numbers, samples and labels (-1 or 1) to train on, samples to label; gives labels."""

ALPHA, PAIRS, NEW = 0.05, 32, 1000
LOOKS = tuple(takewhile(lambda look: look <= PAIRS, looks()))


@dataclass(frozen=True)
class Comparison:
    """Two learners on data of a kind."""

    name: str
    samples: int
    columns: int
    apart: float
    """What half of the columns differ by between the classes, in standard deviations."""
    on: Learner
    off: Learner
    curved: bool = False
    """Labels from a sphere instead: no line parts them."""


def ridge(strength: float) -> Learner:
    def learn(drawn: Drawn, x: Numbers, y: Numbers, new: Numbers) -> Numbers:
        found: Numbers = np.sign(new @ np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ y))
        return found

    return learn


def random_features(width: int, strength: float) -> Learner:
    """A hidden layer drawn by the seed and a ridge on it: like a network, it depends on its seed."""

    def learn(drawn: Drawn, x: Numbers, y: Numbers, new: Numbers) -> Numbers:
        weight, bias = drawn.standard_normal((x.shape[1], width)) / x.shape[1] ** 0.5, drawn.standard_normal(width)
        return ridge(strength)(drawn, np.maximum(x @ weight + bias, 0), y, np.maximum(new @ weight + bias, 0))

    return learn


def neighbours(count: int) -> Learner:
    def learn(drawn: Drawn, x: Numbers, y: Numbers, new: Numbers) -> Numbers:
        far = (new**2).sum(axis=1)[:, None] - 2 * new @ x.T + (x**2).sum(axis=1)
        found: Numbers = np.sign(y[np.argpartition(far, count, axis=1)[:, :count]].sum(axis=1) + 1e-9)
        return found

    return learn


COMPARISONS = (
    Comparison("a weak against a strong ridge, 8 columns", 60, 8, 0.2, ridge(100.0), ridge(0.1)),
    Comparison("the same, 40 columns", 60, 40, 0.2, ridge(100.0), ridge(0.1)),
    Comparison("the same, 100 columns", 200, 100, 0.15, ridge(100.0), ridge(0.1)),
    Comparison("random features, 64 against 32", 200, 10, 0.3, random_features(64, 1.0), random_features(32, 1.0)),
    Comparison("random features against themselves", 200, 10, 0.3, random_features(32, 1.0), random_features(32, 1.0)),
    Comparison(
        "random features, strong against weak ridge", 200, 10, 0.3, random_features(64, 30.0), random_features(64, 1.0),
        curved=True,
    ),
    Comparison("5 neighbours against a ridge", 200, 10, 0.3, neighbours(5), ridge(1.0)),
    Comparison("9 neighbours against 1", 200, 10, 0.3, neighbours(9), neighbours(1)),
    Comparison(
        "random features against a line that cannot do it", 400, 20, 0.3, random_features(200, 3.0), ridge(1.0),
        curved=True,
    ),
)  # fmt: skip


def sample(of: Comparison, count: int, drawn: Drawn) -> tuple[Numbers, Numbers]:
    y = drawn.choice([-1.0, 1.0], count)
    x = drawn.standard_normal((count, of.columns))
    x[:, : of.columns // 2] += of.apart * y[:, None]
    if of.curved:
        y = np.sign((x**2).sum(axis=1) - of.columns + x[:, 0] + 0.5 * drawn.standard_normal(count))
    return x, y


def outcome(right: Numbers, block: npt.NDArray[np.intp]) -> Outcome:
    found = influence(lambda rows: float(right[rows].mean()), block, BLOCKS)
    trial = Trial(stage="confirm", arm=Arm(name="", kind="base", on=()), pair=0)
    return Outcome(trial=trial, score=float(right.mean()), n=len(right), blocks=packed(found))


def pair(of: Comparison, x: Numbers, y: Numbers, new: tuple[Numbers, Numbers], drawn: Drawn) -> tuple[Both, float]:
    """Both arms of one fold, and their difference on new samples."""
    order = drawn.permutation(len(y))
    fold, rest = order[: len(y) // 5], order[len(y) // 5 :]
    trained = rest[: round(0.9 * len(rest))]
    asked, truth = np.vstack([x[fold], new[0]]), np.concatenate([y[fold], new[1]])
    on, off = ((learn(drawn, x[trained], y[trained], asked) == truth).astype(np.float64) for learn in (of.on, of.off))
    ends = [outcome(right[: len(fold)], fold % BLOCKS) for right in (on, off)]
    both = Both(0, on=ends[0], off=ends[1], base=ends[1], changed=ends[0])
    return both, float((on - off)[len(fold) :].mean())


@dataclass(frozen=True)
class Found:
    """One proof: its differences, their mean on new samples, and at each look the overlap that it saw."""

    differences: Numbers
    on_new: float
    overlaps: Numbers


def proof(of: Comparison, assumed: float, drawn: Drawn) -> Found:
    x, y = sample(of, of.samples, drawn)
    new = sample(of, NEW, drawn)
    pairs, on_new = zip(*(pair(of, x, y, new, drawn) for _ in range(PAIRS)), strict=True)
    differences = np.array([one.on.score - one.off.score for one in pairs])
    seen = [overlap(pairs[:look], spread(differences[:look], of), assumed) for look in LOOKS]
    return Found(differences, float(np.mean(on_new)), np.array(seen))


def spread(differences: Numbers, of: Comparison) -> float:
    return float(max(differences.std(ddof=1), 0.5 / (of.samples // 5)))


def missed(found: Found, truth: float, of: Comparison, overlaps: Numbers) -> bool:
    """Whether the interval misses the truth at any look."""
    for look, seen in zip(LOOKS, overlaps, strict=True):
        differences = found.differences[:look]
        half = half_width(look, rules(float(seen))) * spread(differences, of)
        if abs(differences.mean() - truth) > half:
            return True
    return False


def rules(seen: float) -> Rules:
    return Rules(alpha=ALPHA, alpha_diverging=1e-9, margin=0.01, overlap=seen)


def held(of: Comparison, proofs: int) -> dict[str, object]:
    drawn = np.random.default_rng(of.samples * of.columns)
    fold = of.samples // 5
    assumed = fold / round(0.9 * (of.samples - fold))
    found = [proof(of, assumed, drawn) for _ in range(proofs)]
    differences = np.stack([one.differences for one in found])
    truth, variance = float(differences.mean()), float(differences.var(axis=1, ddof=1).mean())
    ways = {"proof": None, "assumed": np.full(len(LOOKS), assumed), "none": np.zeros(len(LOOKS))}

    def misses(way: Numbers | None, *, given: bool) -> dict[str, float]:
        hits = [missed(one, one.on_new if given else truth, of, one.overlaps if way is None else way) for one in found]
        return share(np.array(hits))

    last = np.array([one.overlaps[-1] for one in found])
    return {
        "mean_difference": round(truth, 4),
        "noise": round(variance**0.5, 4),
        "common_error": {
            "seen_over_data_sets": round(float(differences.mean(axis=1).var(ddof=1) / variance - 1 / PAIRS), 4),
            "of_a_proof": [round(float(one), 4) for one in np.quantile(last, (0.5, 0.05, 0.95))],
            "assumed": round(assumed, 4),
        },
        "missed_over_data_sets": {name: misses(way, given=False) for name, way in ways.items()},
        "missed_given_this_data": {name: misses(way, given=True) for name, way in ways.items()},
        "width": round(float(np.median(np.sqrt((1 / PAIRS + last) / (1 / PAIRS + assumed)))), 3),
    }


def main(proofs: int = 300) -> None:
    measured: dict[str, object] = {"alpha": ALPHA, "proofs": proofs, "pairs": PAIRS}
    for of in COMPARISONS:
        measured[of.name] = held(of, proofs)
        print(of.name, measured[of.name], file=sys.stderr, flush=True)
        write("proof_learners", "Intervals of proofs against learners on data drawn anew", measured)


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:2]))
