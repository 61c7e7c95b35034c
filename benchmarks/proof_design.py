"""Screening and then confirming, against plain one-out: runs needed to find the factors that matter.

Trainings are simulated. One has a noise of 1 and its pair a level of its own; effects are in standard deviations of
that noise: ACTIVE, of mixed sizes and signs, the other factors do nothing. What matters is MARGIN. Both ways use the
same schedule, statistics and alpha (0.05 over all factors and looks); one of them may not screen. Worlds:
plain: effects add up.
interactions: as many couples of factors as there are factors do something more when both are off (normal, deviation
1.5), which one-out never sees and a screening averages over.
diverging: a training without either of two factors that otherwise do nothing diverges, as a quarter of the screening's
rows do; one-out never leaves out both.

found: runs until all active factors have their word (paid or hurt), at most BUDGET for each factor and control; of
those proofs that found all of them the median and the quartiles, and the share that did. Without active factors:
wrong words, and factors that were decided as of no effect that matters, with all of the budget (a quarter of the
proofs, only where effects add up: with nothing to find they take the longest).
front: how often active factors are among the first that are confirmed, for each design, and for diverged rows as the
worst score or left out.
Found (n = 4 proofs a cell, small): screening loses its own runs, 16 of 64 to 91, at 8 factors and 16 to 32 of 87 to 143
at 16, because plain one-out takes the soonest decided first as well; at 32 it is even. It never found fewer factors.
Run: python benchmarks/proof_design.py [--proofs N] [--rankings N]; some minutes on one core.
"""

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from tests.proof.simulated import SimulatedClock, SimulatedEngine, World

from fieldcraft.proof.conduct import InMemory, conduct
from fieldcraft.proof.design import Kind, runs, screening
from fieldcraft.proof.ranking import Lost, rank
from fieldcraft.proof.schedule import FRONT
from fieldcraft.proof.verdict import verdicts
from fieldcraft.records.proof import Outcome, Proof, Setting, Trial
from result import write

FACTORS = (8, 16, 32)
ACTIVE = {0: (), 2: (2.5, -2.0), 5: (3.0, -2.5, 2.0, -2.0, 1.5)}
MARGIN = 0.4
BUDGET = 30
"""Runs for each factor, control and base."""
WORLDS = ("plain", "interactions", "diverging")


@dataclass(frozen=True)
class Drawn(World):
    """A world with interactions among what is off."""

    both_off: tuple[tuple[str, str, float], ...] = ()
    seed: int = 0

    def score(self, trial: Trial) -> float:
        """Level of the pair, effects, what couples do when both are off, noise."""
        on = set(trial.arm.on)
        draw = np.random.default_rng([self.seed, trial.pair, *trial.arm.name.encode()])
        level = np.random.default_rng([self.seed, trial.pair]).normal(0, 2)
        effects = sum(self.effects.get(name, 0.0) for name in on)
        crossed = sum(size for a, b, size in self.both_off if a not in on and b not in on)
        harm = -6.0 if trial.arm.kind == "poison" else 0.0
        return float(level + effects + crossed + harm + draw.normal(0, 1))


def asked(many: int, seed: int, screens: bool) -> Setting:
    names = tuple(f"f{number}" for number in range(many))
    stages = ("screen", "confirm") if screens else ("confirm",)
    return Setting(
        factors=names, base=names, metric="score", higher_is_better=True, margin=MARGIN, seed=seed,
        trial_s=dict.fromkeys(stages, 1.0),  # type: ignore[arg-type]
    )  # fmt: skip


def drawn(many: int, active: int, kind: str, seed: int) -> Drawn:
    rng = np.random.default_rng([seed, many, active])
    names = [f"f{number}" for number in rng.permutation(many)]
    effects = dict(zip(names, ACTIVE[active], strict=False))
    world = Drawn(effects=effects, seed=seed)
    if kind == "interactions":
        couples = [rng.choice(many, 2, replace=False) for _ in range(many)]
        return replace(world, both_off=tuple((f"f{a}", f"f{b}", float(rng.normal(0, 1.5))) for a, b in couples))
    if kind == "diverging":
        a, b = names[-2:]
        return replace(world, breaks=lambda trial: a not in trial.arm.on and b not in trial.arm.on)
    return world


def proof(many: int, active: int, kind: str, seed: int, screens: bool) -> Proof:
    world, setting, clock = drawn(many, active, kind, seed), asked(many, seed, screens), SimulatedClock()

    def found_all(outcomes: Sequence[Outcome]) -> str:
        if not active or not outcomes or outcomes[-1].trial.stage == "screen":
            return ""
        only = replace(setting, factors=tuple(world.effects), alpha=setting.alpha * active / many)
        return "" if any(one.word == "cannot tell yet" for one in verdicts(only, outcomes)) else "all found"

    budget_s = float(BUDGET * (many + 3))
    engine = SimulatedEngine(world, clock)
    return conduct(setting, engine, InMemory(), budget_s=budget_s, doubt=found_all, clock=clock)


def found(many: int, active: int, kind: str, proofs: int, screens: bool) -> dict[str, object]:
    took, words, wrong, none = [], 0, 0, []
    for seed in range(proofs):
        one, world = proof(many, active, kind, seed, screens), drawn(many, active, kind, seed)
        right = {name: "paid" if size > 0 else "hurt" for name, size in world.effects.items()}
        said = {verdict.factor: verdict.word for verdict in one.verdicts}
        took.append(len(one.outcomes) if all(said[name] == word for name, word in right.items()) else None)
        wrong += sum(word in ("paid", "hurt") and right.get(name) != word for name, word in said.items())
        none.append(sum(word == "no effect that matters" for word in said.values()))
        words += len(said)
    done = sorted(value for value in took if value is not None)
    quartiles = statistics.quantiles(done, n=4) if len(done) > 1 else None
    told = {"proofs": proofs, "wrong_words": wrong, "words": words}
    if not active:
        return {**told, "runs": statistics.fmean(map(float, done)), "of_no_effect": statistics.fmean(none)}
    return {
        **told,
        "found_all": len(done),
        "median_runs": statistics.median(done) if done else None,
        "quartiles": quartiles,
    }


def front(many: int, active: int, world: str, kind: Kind, lost: Lost, rankings: int) -> float:
    """Share of the active factors that are among the first FRONT, or the first five where five are active."""
    hits = 0
    for seed in range(rankings):
        simulated, setting = drawn(many, active, world, seed), asked(many, seed, screens=True)
        outcomes = []
        for trial in screening(setting, kind):
            broken = simulated.breaks(trial)
            outcomes.append(
                Outcome(trial=trial, score=None if broken else simulated.score(trial), diverged=broken, seconds=1.0)
            )
        first = [one.factor for one in rank(setting, outcomes, lost).ranked][: max(FRONT, active)]
        hits += sum(name in first for name in simulated.effects)
    return hits / (rankings * active)


def main(proofs: int, rankings: int) -> None:
    designs: tuple[Kind, ...] = ("Plackett-Burman", "resolution IV")
    losses: tuple[Lost, ...] = ("worst", "drop")
    fronts, ways = [], []
    for many in FACTORS:
        for active in (2, 5):
            for world in WORLDS:
                for kind in designs:
                    shares = {lost: front(many, active, world, kind, lost, rankings) for lost in losses}
                    same = {"factors": many, "active": active, "world": world, "design": kind, "runs": runs(kind, many)}
                    fronts.append({**same, **(shares if world == "diverging" else {"share": shares["worst"]})})
                    print(fronts[-1], file=sys.stderr)
    for many in FACTORS:
        for active in ACTIVE:
            for world in WORLDS if active else ("plain",):
                tried = proofs if active else max(1, proofs // 4)
                one_out, screened = (found(many, active, world, tried, screens) for screens in (False, True))
                ways.append(
                    {"factors": many, "active": active, "world": world, "one_out": one_out, "screened": screened}
                )
                print(ways[-1], file=sys.stderr, flush=True)
    settings = {"effects": ACTIVE, "margin": MARGIN, "budget_runs_each": BUDGET, "rankings": rankings}
    write("proof_design", __doc__.partition("Run:")[0].strip(), {"settings": settings, "front": fronts, "found": ways})


if __name__ == "__main__":
    arguments = dict(zip(sys.argv[1::2], map(int, sys.argv[2::2]), strict=True))
    main(arguments.get("--proofs", 4), arguments.get("--rankings", 50))
