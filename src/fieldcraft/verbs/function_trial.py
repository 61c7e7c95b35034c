"""Trials with a training function of one's own: what it is called with, and what may come back."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import SupportsFloat

from fieldcraft.proof.carry_out import carry_out, failed
from fieldcraft.proof.schedule import FIRST_PAIR
from fieldcraft.records.proof import Cost, Outcome, Setting, Trial
from fieldcraft.records.streams import stream_seed

SEEDS = 2**31
"""Seeds are below that, so that any library takes them."""
AGAIN_SHARE = 0.02
"""Of the budget, the most that training the base a second time with the same seed may take."""


@dataclass(frozen=True)
class Trained:
    """What came of a training, for functions that know more than their metric.

    `n`: samples that the metric is a mean over (so that no effect below one sample is called one). `seconds`: of the
    training alone; by default the wall clock of the call. `memory_mib`, `parameters`, `latency_ms` (of a prediction of
    one sample): costs to compare; left out where they are not known.
    """

    metric: float
    n: int = 0
    seconds: float | None = None
    memory_mib: float | None = None
    parameters: float | None = None
    latency_ms: float | None = None


Train = Callable[[Mapping[str, bool], int], "float | Trained"]
"""`train(switches, seed)`: which switches are on, and the seed of all that is random; gives the metric."""


@dataclass(frozen=True)
class FunctionTrials:
    """Carries out trials by calling functions."""

    setting: Setting
    train: Train
    placebo: Train | None = None
    poison: Train | str | None = None
    again_s: float = 0.0
    """The very first training is repeated with its own seed when it took no longer than this."""

    def __call__(self, trial: Trial) -> Outcome:
        """What came of it; never raises an Exception."""
        return carry_out(self._run, trial)

    def _run(self, trial: Trial) -> Outcome:
        began = time.perf_counter()
        returned = self._call(trial)
        took = time.perf_counter() - began
        trained = _trained(returned)
        if trained is None:
            return failed(trial, f"it returned {returned!r:.60}; a number or a fieldcraft.Trained was expected", took)
        notes = (self._again(trial, trained.metric, took),) if _is_first(trial) else ()
        return Outcome(
            trial=trial,
            score=trained.metric,
            n=trained.n,
            cost=Cost(
                seconds=took if trained.seconds is None else trained.seconds,
                memory_mib=trained.memory_mib,
                parameters=trained.parameters,
                latency_ms=trained.latency_ms,
            ),
            seconds=took,
            notes=tuple(note for note in notes if note),
        )

    def _call(self, trial: Trial) -> object:
        switches = {name: name in trial.arm.on for name in self.setting.factors}
        if isinstance(self.poison, str):
            switches[self.poison] = trial.arm.kind == "poison"
        seed = seed_of(self.setting, trial.pair)
        train = self.train
        if trial.arm.kind == "placebo" and self.placebo is not None:
            train = self.placebo
        elif trial.arm.kind == "placebo":
            seed = seed_of(self.setting, trial.pair, placebo=True)
        elif trial.arm.kind == "poison" and self.poison is not None and not isinstance(self.poison, str):
            train = self.poison
        return train(switches, seed)

    def _again(self, trial: Trial, metric: float, took: float) -> str:
        if took > self.again_s:
            return ""
        again = _trained(self._call(trial))
        if again is None or again.metric == metric:
            return ""
        return (
            f"The function is not deterministic given its seed: one call gave {metric:.6g}, then {again.metric:.6g}. "
            "Intervals hold all the same; they are wider than they need be."
        )


def seed_of(setting: Setting, pair: int, *, placebo: bool = False) -> int:
    """The seed of a pair, the same for all its arms but the placebo."""
    return stream_seed(setting.seed, "placebo" if placebo else "pair", step=pair) % SEEDS


def _is_first(trial: Trial) -> bool:
    return trial.stage == "confirm" and trial.arm.kind == "base" and trial.pair == FIRST_PAIR["confirm"]


def _trained(returned: object) -> Trained | None:
    """None when what came back is no number."""
    if isinstance(returned, Trained):
        return returned
    if isinstance(returned, Real) or (hasattr(returned, "item") and isinstance(returned, SupportsFloat)):
        return Trained(float(returned))
    return None
