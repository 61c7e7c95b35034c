"""Conducting a proof: start trials, keep what comes of them, end in time, say what is known."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fieldcraft.errors import BudgetError, RunError
from fieldcraft.proof.engine import Engine
from fieldcraft.proof.ranking import Ranking, rank
from fieldcraft.proof.schedule import (
    SCREENED_FROM,
    Standing,
    base_arm,
    least_s,
    next_trials,
    screening_rows,
    toggled_arm,
    useless,
)
from fieldcraft.proof.verdict import controls, verdicts
from fieldcraft.records.proof import Control, Outcome, Proof, Setting, Trial, Verdict

POLL_S = 0.5
"""How often a stop is looked for while trials run."""
TICK_S = 5.0
"""How often the time spent is noted while nothing ends."""


class Journal(Protocol):
    """Where outcomes are kept; what was written is never run again."""

    def read(self) -> tuple[Outcome, ...]:
        """All outcomes, oldest first."""

    def write(self, outcome: Outcome) -> None:
        """Keep one more; on disk when it returns, where there is a disk."""

    def tick(self, seconds: float) -> None:
        """Note the seconds spent so far over all sittings."""


@dataclass
class InMemory:
    """A journal that ends with the process."""

    lines: list[Outcome] = field(default_factory=list)

    def read(self) -> tuple[Outcome, ...]:
        """All outcomes, oldest first."""
        return tuple(self.lines)

    def write(self, outcome: Outcome) -> None:
        """Keep one more."""
        self.lines.append(outcome)

    def tick(self, seconds: float) -> None:
        """Nothing to note it in."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a proof is."""

    setting: Setting
    outcomes: tuple[Outcome, ...]
    verdicts: tuple[Verdict, ...]
    controls: tuple[Control, ...]
    running: tuple[Trial, ...]
    spent_s: float
    """Over all sittings."""
    left_s: float
    eta_s: float
    """Until it probably ends: when all that can be decided is, at the latest with the budget."""


@dataclass
class _Known:
    """What has come out so far, and what it says."""

    setting: Setting
    outcomes: tuple[Outcome, ...]
    verdicts: tuple[Verdict, ...] = ()
    controls: tuple[Control, ...] = ()
    ranking: Ranking = field(default_factory=Ranking)

    def __post_init__(self) -> None:
        self._judge(screened=True)

    def add(self, outcome: Outcome) -> None:
        """One more outcome."""
        self.outcomes = (*self.outcomes, outcome)
        self._judge(screened=outcome.trial.stage == "screen")

    def _judge(self, screened: bool) -> None:
        self.verdicts = verdicts(self.setting, self.outcomes)
        judged = controls(self.setting, self.outcomes)
        self.controls = tuple(one for one in judged if one.kind in self.setting.controls)
        if screened:
            self.ranking = rank(self.setting, self.outcomes)


def conduct(
    setting: Setting,
    engine: Engine,
    journal: Journal,
    *,
    budget_s: float,
    spent_s: float = 0.0,
    see: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    doubt: Callable[[Sequence[Outcome]], str] = lambda outcomes: "",
    clock: Callable[[], float] = time.monotonic,
) -> Proof:
    """Run trials until everything is decided, the budget ends, or someone stops it; then say what is known.

    `budget_s`: seconds over all sittings, of which `spent_s` are gone; trials that would go on beyond it are given up.
    Outcomes in the journal count and are not run again. `see` is called after every outcome and about twice a second;
    `stop` is asked as often. `doubt` says why more trials would show nothing, or "": then it ends, with that as a
    note. The engine is closed at the end.
    Raises: BudgetError when not even one pair of trials fits; RunError when the base fails again and again.
    """
    began, noted = clock(), clock()
    known = _Known(setting, journal.read())
    running: tuple[Trial, ...] = ()
    stopped = False
    _affordable(setting, known.outcomes, budget_s, spent_s, engine.places)
    try:
        while True:
            now = spent_s + clock() - began
            stopped = stop()
            if stopped or now >= budget_s or doubt(known.outcomes):
                break
            standing = _standing(known, running, budget_s - now, engine.places)
            for trial in next_trials(standing):
                engine.start(trial)
                running = (*running, trial)
            if not running:
                break
            see(_progress(known, running, now, budget_s))
            outcome = engine.ended(min(POLL_S, budget_s - now))
            now = spent_s + clock() - began
            if outcome is not None:
                running = tuple(one for one in running if one.key != outcome.trial.key)
                outcome = replace(outcome, at_s=now)
                journal.write(outcome)
                known.add(outcome)
            if outcome is not None or clock() - noted >= TICK_S:
                journal.tick(now)
                noted = clock()
    finally:
        engine.close()
    now = spent_s + clock() - began
    journal.tick(now)
    see(_progress(known, (), now, budget_s))
    if not stopped:
        _came_to_something(known, budget_s, engine.places)
    return Proof(
        setting=setting,
        verdicts=known.verdicts,
        controls=known.controls,
        ranking=known.ranking.ranked,
        interactions=known.ranking.interactions,
        outcomes=known.outcomes,
        seconds=now,
        notes=tuple(
            note
            for note in (
                doubt(known.outcomes),
                *_notes(known, running, stopped, _standing(known, running, budget_s - now, engine.places)),
            )
            if note
        ),
    )


def _standing(known: _Known, running: tuple[Trial, ...], left_s: float, places: int) -> Standing:
    return Standing(
        setting=known.setting,
        outcomes=known.outcomes,
        running=running,
        verdicts=known.verdicts,
        controls=known.controls,
        ranked=tuple(one.factor for one in known.ranking.ranked),
        left_s=left_s,
        places=places,
    )


def _progress(known: _Known, running: tuple[Trial, ...], now: float, budget_s: float) -> Progress:
    left_s = max(0.0, budget_s - now)
    undecided = [one.seconds_needed for one in known.verdicts if one.word == "cannot tell yet"]
    unknown = None in undecided
    return Progress(
        setting=known.setting,
        outcomes=known.outcomes,
        verdicts=known.verdicts,
        controls=known.controls,
        running=running,
        spent_s=now,
        left_s=left_s,
        eta_s=left_s if unknown else min(left_s, sum(one or 0.0 for one in undecided)),
    )


def _affordable(setting: Setting, outcomes: Sequence[Outcome], budget_s: float, spent_s: float, places: int) -> None:
    least = least_s(setting, outcomes, places)
    paired = any(one.trial.arm.kind == "toggled" for one in outcomes)
    if least is not None and not paired and least > budget_s - spent_s:
        raise BudgetError(_too_little(least, budget_s, spent_s))


def _came_to_something(known: _Known, budget_s: float, places: int) -> None:
    """The budget has ended, or nothing was left to do: there must be a pair of something.

    Raises: RunError when the base never trained; BudgetError when time ran out before the first pair.
    """
    bases = [one for one in known.outcomes if one.trial.arm.kind == "base"]
    if bases and all(one.score is None for one in bases):
        raise RunError(
            f"the training as it stands failed in {len(bases)} of {len(bases)} trials "
            f"({bases[-1].error or 'it diverged'}): put that right first, then prove what pays."
        )
    if any(one.differences or one.failed for one in known.verdicts):
        return
    least = least_s(known.setting, known.outcomes, places)
    if least is not None and least > budget_s:
        raise BudgetError(_too_little(least, budget_s, 0.0))
    raise BudgetError(
        f"no pair of trainings ended within the {budget_s:.3g} s of the budget. "
        "Measure how long one takes, and give at least several times that."
    )


def _too_little(least: float, budget_s: float, spent_s: float) -> str:
    spent = f", of which {spent_s:.3g} s are spent" if spent_s else ""
    return (
        f"one pair of trainings takes about {least:.3g} s, but the budget is {budget_s:.3g} s{spent}. "
        f"The least is {spent_s + least * 1.1:.3g} s; a verdict takes at least 3 pairs of each factor, and mostly more."
    )


def _notes(known: _Known, given_up: Sequence[Trial], stopped: bool, standing: Standing) -> tuple[str, ...]:
    setting, notes = known.setting, list(known.ranking.notes)
    failed = [one.kind for one in known.controls if one.passed is False]
    if failed:
        notes.insert(0, f"The control failed ({', '.join(failed)}): nothing here is to be trusted; it ended there.")
    missing = [kind for kind in ("placebo", "poison") if kind not in setting.controls]
    if missing:
        notes.append(f"Without a control: {' and '.join(missing)} could not be run here.")
    rows = screening_rows(standing)
    ran = sum(one.trial.stage == "screen" for one in known.outcomes)
    if ran and ran < len(rows):
        notes.append(f"{ran} of {len(rows)} runs of the screening ended in time.")
    if not ran and len(setting.factors) >= SCREENED_FROM:
        notes.append("No screening: the budget does not pay for it and for confirming what it would put in front.")
    for factor in setting.factors:
        arm = toggled_arm(setting, factor)
        if useless(known.outcomes, arm):
            last = next(one for one in reversed(known.outcomes) if one.trial.arm.name == arm.name)
            notes.append(f"{arm.name!r} failed every time: {last.error or 'it diverged'}.")
    if useless(known.outcomes, base_arm(setting)):
        notes.append("The training as it stands failed every time.")
    if given_up:
        notes.append(f"{len(given_up)} trials in flight were given up: {', '.join(one.key for one in given_up)}.")
    if stopped:
        notes.append("It was stopped before its end; the same call goes on from there.")
    return tuple(notes)
