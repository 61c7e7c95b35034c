"""Are the words of a proof right as often as they say? Simulated proofs of which the truth is known.

widths: half the interval after n pairs, in standard deviations of the differences: of one planned look (fixed n), as
a proof makes it, of a union bound over the same looks, and of the scale-invariant mixture of t tests that holds after
every pair (right Haar prior on the spread, normal prior on the standardised effect with three variances).
missed: how often an interval misses the truth at any look so far. Differences normal, with heavier tails (t with 5
degrees of freedom), counted in samples (accuracy on 360), with a common error as Nadeau and Bengio assume it (n2 / n1 =
0.25), from a new fold and seed each; and where their assumption is strained: five folds in turn, with and without
being told. (Learners instead of formulas: `proof_learners.py`.)
words: of effects of 0, 0.5, 1 and 2 standard deviations, by 8, 16 and 32 pairs, with the trainings that it took.
naive: what people do, on the same effects. One seed: the better one wins. Three unpaired seeds: the better mean wins,
or a t test of two samples has p < 0.05. A paired t test after every pair, until p < 0.05 or 32 pairs. Unpaired scores
share folds and seeds with nothing, which doubles their deviation.
proofs: whole journals through `verdicts` and `controls`: eight factors of which two help, one hurts, one works by an
interaction with another, one diverges in nine of ten trainings and three do nothing; placebo and poison.
Errors are standard errors. One core, some minutes.
Usage: python benchmarks/proof_method.py
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from fieldcraft.proof.interval import half_width
from fieldcraft.proof.looks import bound, looks, spent
from fieldcraft.proof.needs import further_pairs
from fieldcraft.proof.rules import Rules, rules_of
from fieldcraft.proof.verdict import controls, verdicts
from fieldcraft.records.proof import Arm, ArmKind, Outcome, Setting, Trial
from result import write

Numbers = npt.NDArray[np.float64]
Drawn = np.random.Generator

ALPHA, FACTORS, PAIRS = 0.05, 8, 32
EFFECTS = (0.0, 0.5, 1.0, 2.0)
MARGIN = 0.25
"""In standard deviations of the differences."""
OVERLAP = 0.25
LOOKS = tuple(takewhile(lambda look: look <= PAIRS, looks()))


def share(hits: npt.NDArray[np.bool_]) -> dict[str, float]:
    """A share and its standard error."""
    found = float(hits.mean())
    return {"share": round(found, 5), "error": round(float(np.sqrt(found * (1 - found) / len(hits))), 5)}


def rules(alpha: float, *, overlap: float = 0.0, folds: int = 0, least: float = 0.0) -> Rules:
    return Rules(alpha=alpha, alpha_diverging=1e-9, margin=MARGIN, overlap=overlap, folds=folds, least=least)


# widths


def mixture_bound(n: int, alpha: float, variance: float) -> float:
    """Largest |t| that the mixture of t tests has nothing against.

    Source: Lai 1976, as e-process in Perez-Ortiz et al., arXiv:2208.07610.
    """

    def log_evidence(statistic: Numbers) -> Numbers:
        square, grown = statistic**2 / (n - 1), 1 + n * variance
        found: Numbers = n / 2 * (np.log1p(square) - np.log1p(square / grown)) - np.log(grown) / 2
        return found

    statistics = np.geomspace(0.1, 1e6, 200_000)
    below = statistics[log_evidence(statistics) < -np.log(alpha)]
    return float(below.max()) if below.max() < statistics.max() else float("inf")


def widths(alpha: float) -> list[dict[str, float | None]]:
    """Half widths after n pairs, in standard deviations."""
    rows: list[dict[str, float | None]] = []
    before = 0.0
    for look in LOOKS:
        new, before = spent(look) - before, spent(look)
        found = {
            "fixed_n": float(t.isf(alpha / 2, look - 1)),
            "proof": bound(alpha, look),
            "union": float(t.isf(alpha * new / 2, look - 1)),
            **{f"mixture_{variance:g}": mixture_bound(look, alpha, variance) for variance in (1, 16, 256)},
        }
        halves = {name: value / look**0.5 for name, value in found.items()}
        rows.append(
            {"pairs": look, **{name: round(half, 3) if np.isfinite(half) else None for name, half in halves.items()}}
        )
    return rows


# missed


def normal(drawn: Drawn, proofs: int) -> Numbers:
    return drawn.standard_normal((proofs, PAIRS))


def heavy_tails(drawn: Drawn, proofs: int) -> Numbers:
    return drawn.standard_t(5, (proofs, PAIRS))


def counted(drawn: Drawn, proofs: int) -> Numbers:
    """Of 360 samples four on average become right and four wrong."""
    return (drawn.poisson(4, (proofs, PAIRS)) - drawn.poisson(4, (proofs, PAIRS))) / 360


def common_error(drawn: Drawn, proofs: int) -> Numbers:
    return OVERLAP**0.5 * drawn.standard_normal((proofs, 1)) + drawn.standard_normal((proofs, PAIRS))


def new_folds(drawn: Drawn, proofs: int) -> Numbers:
    """Data, fold and seed, with deviations of 0.5, 0.8 and 0.6: the common error is as Nadeau and Bengio assume it."""
    return 0.5 * drawn.standard_normal((proofs, 1)) + np.hypot(0.8, 0.6) * drawn.standard_normal((proofs, PAIRS))


def folds_in_turn(drawn: Drawn, proofs: int) -> Numbers:
    """The same data, fold and seed, but five folds again and again."""
    folds = 0.8 * drawn.standard_normal((proofs, 5))[:, np.arange(PAIRS) % 5]
    return 0.5 * drawn.standard_normal((proofs, 1)) + folds + 0.6 * drawn.standard_normal((proofs, PAIRS))


def missed(differences: Numbers, truth: float, held: Rules) -> npt.NDArray[np.bool_]:
    """Whether the interval misses the truth at any look so far. Shape: (proofs, looks)."""
    found = []
    for look in takewhile(lambda look: look <= differences.shape[1], LOOKS):
        seen = differences[:, :look]
        spread = np.maximum(seen.std(axis=1, ddof=1), held.least)
        found.append(np.abs(seen.mean(axis=1) - truth) > half_width(look, held) * spread)
    return np.logical_or.accumulate(np.stack(found, axis=1), axis=1)


def misses(proofs: int, alpha: float) -> dict[str, object]:
    """Of each kind of differences, after the first look and after 8, 16 and 32 pairs."""
    kinds: dict[str, tuple[Callable[[Drawn, int], Numbers], Rules]] = {
        "normal": (normal, rules(alpha)),
        "heavy_tails": (heavy_tails, rules(alpha)),
        "counted": (counted, rules(alpha, least=0.5 / 360)),
        "common_error": (common_error, rules(alpha, overlap=OVERLAP)),
        "common_error_uncorrected": (common_error, rules(alpha)),
        "new_folds_and_seeds": (new_folds, rules(alpha, overlap=OVERLAP)),
        "five_folds_in_turn": (folds_in_turn, rules(alpha, overlap=OVERLAP, folds=5)),
        "five_folds_in_turn_untold": (folds_in_turn, rules(alpha, overlap=OVERLAP)),
    }
    found: dict[str, object] = {"alpha": alpha, "proofs": proofs}
    for seed, (name, (kind, held)) in enumerate(kinds.items()):
        ever = missed(kind(np.random.default_rng(seed), proofs), 0.0, held)
        found[name] = {f"by_{LOOKS[place]}": share(ever[:, place]) for place in (0, 4, 7, 10)}
    return found


# words


def decided(differences: Numbers, held: Rules) -> tuple[Numbers, Numbers]:
    """The first word of each proof (1 paid, -1 hurt, 0 no effect that matters, nan none) and its pairs."""
    words, pairs = np.full(len(differences), np.nan), np.full(len(differences), float(PAIRS))
    for look in LOOKS:
        seen = differences[:, :look]
        value = seen.mean(axis=1)
        half = half_width(look, held) * seen.std(axis=1, ddof=1)
        open_still = np.isnan(words)
        certain = (np.abs(value) > half) & (np.abs(value) >= held.margin)
        nothing = np.abs(value) + half <= held.margin
        words = np.where(open_still & nothing, 0.0, np.where(open_still & certain, np.sign(value), words))
        pairs = np.where(open_still & ~np.isnan(words), look, pairs)
    return words, pairs


def power(proofs: int, factors: int, overlap: float) -> list[dict[str, object]]:
    """Words and trainings, effect by effect. Trainings: of both arms, stopped at the first word or at 32 pairs."""
    held = rules(ALPHA / factors, overlap=overlap)
    rows: list[dict[str, object]] = []
    for effect in EFFECTS:
        drawn = np.random.default_rng(round(100 * effect))
        common = overlap**0.5 * drawn.standard_normal((proofs, 1))
        words, pairs = decided(effect + common + drawn.standard_normal((proofs, PAIRS)), held)
        rows.append(
            {
                "effect": effect,
                "paid": {f"by_{most}": share((words == 1) & (pairs <= most)) for most in (8, 16, 32)},
                "hurt": share(words == -1),
                "no_effect_that_matters": share(words == 0),
                "cannot_tell": share(np.isnan(words)),
                "mean_trainings": round(float(2 * pairs.mean()), 1),
            }
        )
    return rows


def naive(proofs: int) -> list[dict[str, object]]:
    """How often people's ways call an effect paid, and the trainings they take."""
    rows: list[dict[str, object]] = []
    for effect in EFFECTS:
        drawn = np.random.default_rng(1 + round(100 * effect))
        paired = effect + drawn.standard_normal((proofs, PAIRS))
        deviation = 2 / 2**0.5  # of one score, such that unpaired differences deviate twice as much as paired ones
        on, off = (deviation * drawn.standard_normal((proofs, 3)) for _ in range(2))
        gain = effect + on.mean(axis=1) - off.mean(axis=1)
        pooled = np.sqrt((on.var(axis=1, ddof=1) + off.var(axis=1, ddof=1)) / 3)
        said, pairs = np.zeros(proofs), np.full(proofs, float(PAIRS))
        for n in range(2, PAIRS + 1):
            seen = paired[:, :n]
            value = seen.mean(axis=1)
            new = (said == 0) & (np.abs(value) > t.isf(ALPHA / 2, n - 1) * seen.std(axis=1, ddof=1) / n**0.5)
            said, pairs = np.where(new, np.sign(value), said), np.where(new, n, pairs)
        rows.append(
            {
                "effect": effect,
                "one_seed": {"paid": share(paired[:, 0] > 0), "hurt": share(paired[:, 0] < 0), "trainings": 2},
                "three_unpaired_seeds_means": {"paid": share(gain > 0), "hurt": share(gain < 0), "trainings": 6},
                "three_unpaired_seeds_t_test": {
                    "paid": share(gain > t.isf(ALPHA / 2, 4) * pooled),
                    "hurt": share(-gain > t.isf(ALPHA / 2, 4) * pooled),
                    "trainings": 6,
                },
                "t_test_after_every_pair": {
                    "paid": share(said > 0),
                    "hurt": share(said < 0),
                    "mean_trainings": round(float(2 * pairs.mean()), 1),
                },
            }
        )
    return rows


# proofs

NOISE = 0.01
"""Deviation of a difference, in accuracy."""
MAIN = {"helps": 2.0, "helps-less": 1.0, "hurts": -1.5, "with-helps": 0.5, "diverges": 1.0}
"""Main effects, in standard deviations of the differences; "nothing 1" to "nothing 3" have none."""
TOGETHER = 1.0
"""What "helps" and "with-helps" do only together."""
FAILS = 0.9
"""Share of trainings with "diverges" that diverge."""
NOTHING = ("nothing-1", "nothing-2", "nothing-3")
NAMES = (*MAIN, *NOTHING)
ON = ("helps", "hurts", "with-helps", "nothing-1")


def mean_score(on: tuple[str, ...]) -> float:
    both = "helps" in on and "with-helps" in on
    return 0.8 + NOISE * (sum(MAIN.get(name, 0.0) for name in on) + TOGETHER * both)


TRUTH = {
    name: mean_score((*(one for one in ON if one != name), name)) - mean_score(tuple(one for one in ON if one != name))
    for name in NAMES
}
"""One-out and one-in effects, with the interaction as it is in the plan as it stands."""


@dataclass(frozen=True)
class Made:
    """Arms of a made-up proof, and the common error of each."""

    arm: Arm
    common: float

    def outcome(self, pair: int, shift: float, drawn: Drawn) -> Outcome:
        """One training; what its fold does to every arm is `shift`."""
        trial = Trial(stage="confirm", arm=self.arm, pair=pair)
        own = NOISE / 2**0.5 * drawn.standard_normal()
        if "diverges" in self.arm.on and drawn.random() < FAILS:
            return Outcome(trial=trial, score=None, diverged=True)
        poisoned = -0.2 * (self.arm.kind == "poison")
        return Outcome(trial=trial, score=mean_score(self.arm.on) + self.common + poisoned + shift + own)


def arms(overlap: float, drawn: Drawn) -> Iterator[Made]:
    kinds: tuple[ArmKind, ...] = ("base", "placebo", "poison")
    for kind in kinds:
        off = kind == "base"
        yield Made(Arm(name=kind, kind=kind, on=ON), 0.0 if off else NOISE * overlap**0.5 * drawn.standard_normal())
    for name in NAMES:
        on = tuple(one for one in ON if one != name) if name in ON else (*ON, name)
        yield Made(Arm(name=name, kind="toggled", on=on), NOISE * overlap**0.5 * drawn.standard_normal())


def proofs(count: int, pairs: int, overlap: float) -> dict[str, object]:
    """Every proof goes on for all its pairs and is asked at every look, so that whenever one looks is looked at."""
    asked = Setting(
        factors=NAMES,
        base=ON,
        metric="accuracy",
        higher_is_better=True,
        alpha=ALPHA,
        margin=MARGIN * NOISE,
        overlap=overlap,
    )
    wrong, outside, placebo_failed, poison_found = (np.zeros(count, dtype=bool) for _ in range(4))
    last: dict[str, list[str]] = {name: [] for name in NAMES}
    for number in range(count):
        drawn = np.random.default_rng(number)
        made, ended = list(arms(overlap, drawn)), list[Outcome]()
        for pair in range(pairs):
            shift = 2 * NOISE * drawn.standard_normal()
            ended.extend(one.outcome(pair, shift, drawn) for one in made)
            if pair + 1 not in LOOKS:
                continue
            found = verdicts(asked, ended)
            for one in found:
                truth = TRUTH[one.factor]
                if one.factor == "diverges":
                    wrong[number] |= one.word == "paid"
                else:
                    wrong[number] |= (one.word == "paid" and truth <= 0) or (one.word == "hurt" and truth >= 0)
                    outside[number] |= one.effect is not None and not one.effect.low <= truth <= one.effect.high
            placebo, poison = controls(asked, ended)
            placebo_failed[number] |= placebo.passed is False
            poison_found[number] = poison.passed is True
        for one in found:
            last[one.factor].append(one.word)
    return {
        "proofs": count,
        "pairs": pairs,
        "overlap": overlap,
        "truth_in_noise": {name: round(truth / NOISE, 2) for name, truth in TRUTH.items()},
        "any_wrong_paid_or_hurt_at_any_look": share(wrong),
        "any_interval_missed_at_any_look": share(outside),
        "placebo_failed_at_any_look": share(placebo_failed),
        "poison_found": share(poison_found),
        "words_at_the_end": {
            name: {word: words.count(word) / count for word in sorted(set(words))} for name, words in last.items()
        },
    }


def forecast(count: int) -> dict[str, object]:
    """Further pairs foretold after 6 pairs of an effect of one deviation, and those that it took, among 8 factors."""
    held = rules_of(Setting(factors=NAMES, base=ON, metric="", higher_is_better=True, margin=MARGIN), FACTORS)
    drawn = np.random.default_rng(9)
    differences = 1.0 + drawn.standard_normal((count, PAIRS))
    words, pairs = decided(differences, held)
    open_still = np.isnan(words) | (pairs > 6)
    foretold = [
        further_pairs(float(one[:6].mean()), float(one[:6].std(ddof=1)), 6, held) for one in differences[open_still]
    ]
    known = np.array([np.inf if one is None else one for one in foretold])
    took = np.where(np.isnan(words), np.inf, pairs - 6)[open_still]
    return {
        "proofs": int(open_still.sum()),
        "median_foretold": float(np.median(known)),
        "median_took": float(np.median(took)),
        "within_a_factor_of_two": share((known <= 2 * took) & (took <= 2 * known)),
    }


def main() -> None:
    each = ALPHA / FACTORS
    write(
        "proof_method",
        "Simulated proofs of which the truth is known: coverage at every look, widths, power, and people's ways",
        {
            "widths": {"alpha_0.05": widths(ALPHA), "alpha_0.05_of_8_factors": widths(each)},
            "missed": {"one_factor": misses(40_000, ALPHA), "one_of_8_factors": misses(40_000, each)},
            "words": {
                "margin": MARGIN,
                "one_factor": power(20_000, 1, 0.0),
                "one_of_8_factors": power(20_000, FACTORS, 0.0),
                "one_of_8_factors_overlap_0.25": power(20_000, FACTORS, OVERLAP),
            },
            "naive": naive(20_000),
            "proofs": [proofs(60, 16, 0.0), proofs(60, 16, OVERLAP)],
            "forecast": forecast(2_000),
        },
    )


if __name__ == "__main__":
    main()
