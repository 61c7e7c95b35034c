"""Made-up proofs: scores are drawn, everything that is said of them is worked out from the draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from fieldcraft.proof.verdict import controls, verdicts
from fieldcraft.records.proof import (
    Arm,
    ArmKind,
    Between,
    Cost,
    CostDifference,
    FinalLook,
    Interaction,
    Outcome,
    Proof,
    Ranked,
    Setting,
    Stage,
    Trial,
)

HOSTILE = '<script>alert("1")</script>&amp;'
EFFECTS = {
    "label-smoothing": 0.006,
    "one-cycle": 0.014,
    "mixup-and-cutmix": -0.012,
    "weight-decay": 0.0,
    "squeeze-excitation": 0.003,
    "trivial-augment": -0.002,
    "stochastic-depth": 0.0005,
}
"""What each factor really does, in the metric's units."""
SLOWER = {"squeeze-excitation": 1.6, "trivial-augment": 0.7, "mixup-and-cutmix": 0.4}
"""Seconds that a training takes longer with it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What proof is wanted."""

    effects: Mapping[str, float] = field(default_factory=lambda: EFFECTS)
    pairs: int = 12
    noise: float = 0.0012
    """Of one training's score beyond what its pair shares."""
    metric: str = "accuracy"
    higher: bool = True
    level: float = 0.93
    """Score of the plan as it stands."""
    unit: float = 1.0
    """Size of one point of score: 1 where scores lie between 0 and 1."""
    poison: float = -0.12
    placebo: float = 0.0
    crash: int = 17
    """Each so-manieth trial fails; 0: none."""
    screened: bool = True
    seed: int = 0
    planned_s: float | None = 300.0
    full: tuple[str, ...] = ("one-cycle",)
    """Factors that were repeated at the full budget."""
    look: bool = True


@dataclass
class _Ran:
    asked: Asked
    setting: Setting
    rng: np.random.Generator
    ended: list[Outcome] = field(default_factory=list)
    clock: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def run(self, stage: Stage, arm: Arm, pair: int, effect: float, extra_s: float = 0.0) -> Outcome:
        """Draw one trial; workers take turns."""
        asked = self.asked
        shared = np.random.default_rng((asked.seed, pair)).normal(0, 0.01)
        sign = 1 if asked.higher else -1
        gained = shared + effect + self.rng.normal(0, asked.noise)
        score = asked.unit * (asked.level + sign * gained)
        trained = max(0.5, self.setting.trial_s[stage] + extra_s + self.rng.normal(0, 0.15))
        worker = int(np.argmin(self.clock))
        self.clock[worker] += trained + 0.3
        failed = bool(asked.crash) and len(self.ended) % asked.crash == asked.crash - 1
        outcome = Outcome(
            trial=Trial(stage=stage, arm=arm, pair=pair),
            score=None if failed else score,
            n=1000 if asked.metric == "accuracy" else 0,
            cost=Cost(
                seconds=trained,
                memory_mib=180 + 9 * extra_s + self.rng.normal(0, 2),
                parameters=21_000 + (1_800 if extra_s > 1 else 0),
                latency_ms=0.8 + 0.1 * extra_s + self.rng.normal(0, 0.01),
            ),
            diverged=failed and pair % 2 == 0,
            error="" if not failed else "the loss became no number at step 40" if pair % 2 == 0 else "out of memory",
            seconds=trained + 0.3,
            at_s=self.clock[worker],
            worker=worker,
        )
        self.ended.append(outcome)
        return outcome


def made_up(asked: Asked = Asked()) -> Proof:
    """A proof with everything in it that was asked for."""
    names = tuple(asked.effects)
    base = names[: (len(names) + 1) // 2]
    setting = Setting(
        factors=names,
        base=base,
        metric=asked.metric,
        higher_is_better=asked.higher,
        margin=0.002 * asked.unit,
        overlap=0.05,
        trial_s={"screen": 5.0, "confirm": 12.0, "full": 60.0},
        workers=2,
        planned_s=asked.planned_s,
        wanted={"data": "3f1c", "plan": "88ab", "fieldcraft": "0.1"},
    )
    ran = _Ran(asked, setting, np.random.default_rng(asked.seed))
    ranking, interactions = _screened(ran) if asked.screened and len(names) > 1 else ((), ())
    arms = {name: _toggled(name, base, names) for name in names}
    kinds: tuple[ArmKind, ArmKind] = ("placebo", "poison")
    stages: tuple[Stage, Stage] = ("confirm", "full")
    for stage in stages:
        tested = [name for name in names if stage == "confirm" or name in asked.full]
        for pair in range(asked.pairs if tested else 0):
            ran.run(stage, Arm(name="base", kind="base", on=base), pair, 0.0)
            for kind in kinds if stage == "confirm" else ():
                effect = asked.placebo if kind == "placebo" else asked.poison
                ran.run(stage, Arm(name=kind, kind=kind, on=base), pair, effect)
            for name in tested:
                sign = -1 if name in base else 1
                ran.run(stage, arms[name], pair, sign * asked.effects[name], sign * SLOWER.get(name, 0.0))
    ended = tuple(sorted(ran.ended, key=lambda one: one.at_s))
    return Proof(
        setting=setting,
        verdicts=verdicts(setting, ended),
        controls=controls(setting, ended),
        ranking=ranking,
        interactions=interactions,
        not_tested={"deep-supervision": "it decided nothing here: the network has one head"},
        outcomes=ended,
        seconds=max(ran.clock),
        look=_look(asked) if asked.look else None,
        notes=("The machine slept for 40 s during the proof.",),
    )


def _toggled(name: str, base: tuple[str, ...], names: tuple[str, ...]) -> Arm:
    on = tuple(one for one in names if (one in base) != (one == name))
    return Arm(name=f"{'without' if name in base else 'with'} {name}", kind="toggled", on=on)


def _screened(ran: _Ran) -> tuple[tuple[Ranked, ...], tuple[Interaction, ...]]:
    """Half-on plans, drawn; least squares on their main effects."""
    names, asked = ran.setting.factors, ran.asked
    runs = 2 * len(names) + 4
    signs = ran.rng.choice([-1.0, 1.0], size=(runs, len(names)))
    scores = []
    for row in range(runs):
        on = tuple(name for name, sign in zip(names, signs[row], strict=True) if sign > 0)
        arm = Arm(name=f"screen {row}", kind="screen", on=on)
        scores.append(ran.run("screen", arm, row, sum(asked.effects[name] for name in on)).score)
    kept = [row for row, score in enumerate(scores) if score is not None]
    design = np.column_stack([np.ones(len(kept)), signs[kept] / 2])
    values = np.array([scores[row] for row in kept]) * (1 if asked.higher else -1)
    found, rest, *_ = np.linalg.lstsq(design, values, rcond=None)
    spread = float(rest[0] if len(rest) else 0.0) / max(1, len(kept) - design.shape[1])
    errors = np.sqrt(spread * np.diag(np.linalg.pinv(design.T @ design)))[1:]
    ranked = [
        Ranked(factor=name, effect=float(effect), error=float(error), aliases=_aliases(names, at))
        for at, (name, effect, error) in enumerate(zip(names, found[1:], errors, strict=True))
    ]
    seen = (
        Interaction(
            factors=(names[0], names[1]), effect=0.4 * float(found[1]), error=float(errors[0]), note="not confirmed"
        ),
    )
    return tuple(sorted(ranked, key=lambda one: -abs(one.effect))), seen


def _aliases(names: tuple[str, ...], at: int) -> tuple[str, ...]:
    return tuple(f"{names[(at + step) % len(names)]} × {names[(at + 2 * step) % len(names)]}" for step in (1, 2))


def _look(asked: Asked) -> FinalLook:
    planned, kept = asked.level * asked.unit, (asked.level + 0.008 * (1 if asked.higher else -1)) * asked.unit
    gained = Between(value=0.008 * asked.unit, low=-0.001 * asked.unit, high=0.017 * asked.unit, pairs=360)
    return FinalLook(look=2, planned=planned, kept=kept, difference=gained, n=360)


@cache
def all_kinds() -> dict[str, Proof]:
    """Proofs of every shape that the page and the table must bear."""
    rng = np.random.default_rng(3)
    many = {f"factor-{index:02d}": float(rng.choice([0.0, 0.0, 0.006, -0.006])) for index in range(40)}
    long_names = {
        "a-name-that-somebody-made-up-on-a-long-afternoon-and-never-thought-of-again": 0.01,
        "W" * 60: -0.01,
        HOSTILE: 0.0,
        "zusammengesetzte Wörter/und:Pfade": 0.002,
    }
    whole = made_up()
    return {
        "whole": whole,
        "forty": made_up(Asked(effects=many, pairs=6, full=())),
        "one": made_up(Asked(effects={"label-smoothing": 0.008}, full=(), planned_s=None, look=False)),
        "cannot tell": made_up(
            Asked(effects=dict.fromkeys(EFFECTS, 0.0), noise=0.02, pairs=3, level=0.8, full=(), look=False)
        ),
        "first pair": made_up(Asked(pairs=1, crash=0, screened=False, full=(), look=False)),
        "nothing ran": replace(
            made_up(Asked(pairs=1, crash=1, screened=False, full=(), look=False)), outcomes=(), seconds=0.0
        ),
        "failed placebo": made_up(Asked(placebo=0.01)),
        "failed poison": made_up(Asked(poison=0.004)),
        "long names": made_up(Asked(effects=long_names, full=())),
        "errors": made_up(Asked(metric="rmse", higher=False, level=0.5, unit=140.0)),
        "own metric": made_up(Asked(metric=HOSTILE, unit=1e-3)),
        "no costs": _without_costs(whole),
        "unlimited": _unlimited(whole),
    }


def _without_costs(proof: Proof) -> Proof:
    """As of one's own function."""
    return replace(
        proof,
        setting=replace(proof.setting, trial_s={}, planned_s=None, wanted={}),
        verdicts=tuple(
            replace(one, cost=CostDifference(), trial_s=None, seconds_needed=None) for one in proof.verdicts
        ),
        outcomes=tuple(replace(one, cost=Cost()) for one in proof.outcomes),
        ranking=tuple(replace(one, error=None) for one in proof.ranking),
    )


def _unlimited(proof: Proof) -> Proof:
    """Two pairs can leave an interval without ends."""
    effect = Between(value=0.001, low=float("-inf"), high=float("inf"), pairs=2)
    first = replace(proof.verdicts[0], word="cannot tell yet", effect=effect, differences=(0.0, 0.002))
    return replace(proof, verdicts=(first, *proof.verdicts[1:]))
