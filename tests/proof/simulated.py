"""Trainings that are drawn instead of trained, on a clock that only they move."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fieldcraft.proof.conduct import InMemory, conduct
from fieldcraft.records.proof import Outcome, Proof, Setting, Trial
from fieldcraft.records.streams import stream_seed


@dataclass
class SimulatedClock:
    """Seconds that pass only when a training says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class World:
    """What factors do, in standard deviations of one training's noise."""

    effects: Mapping[str, float]
    noise: float = 1.0
    trial_s: float = 1.0
    poison: float = -30.0
    breaks: Callable[[Trial], bool] = lambda trial: False

    def score(self, trial: Trial) -> float:
        """Depends on arm and pair and on nothing else."""
        draw = np.random.default_rng(stream_seed(7, trial.stage, trial.arm.name, trial.pair))
        level = np.random.default_rng(stream_seed(7, "pair", "", trial.pair)).normal(0, 2)
        harm = self.poison if trial.arm.kind == "poison" else 0.0
        return float(
            level + sum(self.effects.get(name, 0.0) for name in trial.arm.on) + harm + draw.normal(0, self.noise)
        )


@dataclass
class SimulatedEngine:
    """Places that train at once, on the simulated clock; ends in the order of starting times and lengths."""

    world: World
    clock: SimulatedClock
    places: int = 1
    running: list[tuple[float, int, Trial]] = field(default_factory=list)
    started: list[Trial] = field(default_factory=list)
    closed: bool = False

    def start(self, trial: Trial) -> None:
        assert len(self.running) < self.places
        assert trial.key not in [one.key for one in self.started], f"{trial.key} started twice"
        self.running.append((self.clock.now + self.world.trial_s, len(self.started), trial))
        self.started.append(trial)

    def ended(self, timeout_s: float) -> Outcome | None:
        ends, _, trial = min(self.running)
        if ends > self.clock.now + timeout_s:
            self.clock.now += timeout_s
            return None
        self.running.remove(min(self.running))
        self.clock.now = max(self.clock.now, ends)
        broken = self.world.breaks(trial)
        return Outcome(
            trial=trial, score=None if broken else self.world.score(trial), diverged=broken, seconds=self.world.trial_s
        )

    def close(self) -> None:
        self.closed = True


def setting(many: int = 4, **changes: object) -> Setting:
    """Factors f0, f1, ... that are all on in the base."""
    names = tuple(f"f{number}" for number in range(many))
    told: dict[str, object] = {
        "factors": names, "base": names, "metric": "score", "higher_is_better": True, "margin": 0.5,
        "trial_s": {"screen": 1.0, "confirm": 1.0}, **changes,
    }  # fmt: skip
    return Setting(**told)  # type: ignore[arg-type]


def prove(
    asked: Setting,
    world: World,
    budget_s: float,
    journal: InMemory | None = None,
    places: int = 1,
    stop_after: int | None = None,
) -> tuple[Proof, SimulatedEngine]:
    """A proof on the simulated clock; `stop_after`: as if it was killed after so many further outcomes."""
    journal = InMemory() if journal is None else journal
    before = len(journal.lines)
    spent_s = max((one.at_s for one in journal.lines), default=0.0)
    clock = SimulatedClock()
    engine = SimulatedEngine(world, clock, places)
    stop = (lambda: False) if stop_after is None else (lambda: len(journal.lines) - before >= stop_after)
    return conduct(asked, engine, journal, budget_s=budget_s, spent_s=spent_s, stop=stop, clock=clock), engine
