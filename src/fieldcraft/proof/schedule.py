"""Which trials to run next: pure, so that a proof that was killed goes on as if it had never stopped.

1. The base once, so that a plan that cannot train fails at once; then the controls beside it.
2. With many factors a screening, where the budget pays for it and for confirming what it puts in front.
3. Pairs of controls and of single factors. Of the factors that are not decided those come first that are probably
   decided soonest; where that is much the same for several they take turns pair by pair. Before the first look a factor
   stands where the screening ranked it; what cannot be decided in the time left waits behind all others.
4. With a full stage: the decided ones again at the full budget, the largest effects first.

The base of a pair serves all factors. What has been decided gets no more trials, and nothing is started that would not
end in time, or whose partner would not. A control that failed ends it all: nothing after that could be trusted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, log2

from fieldcraft.proof.design import Kind, screening
from fieldcraft.proof.expected import expected_s
from fieldcraft.proof.looks import FIRST
from fieldcraft.records.proof import Arm, Control, Outcome, Setting, Stage, Trial, Verdict
from fieldcraft.records.streams import stream_seed

FIRST_PAIR: dict[Stage, int] = {"confirm": 0, "screen": 1000, "full": 2000}
"""Pairs of a stage count from here: seeds that chose a factor do not judge it."""
SCREENED_FROM = 7
"""Factors; fewer are confirmed straight away."""
SCREEN_SHARE = 1 / 3
"""Of the time left, the most that a screening may take."""
FRONT = 4
"""Factors of the ranking that are confirmed together."""
CONFIRMED_PAIRS = 6
"""A screening must leave time for so many pairs of the front and of the controls."""
PLACEBO_PAIRS = 6
"""Pairs that the placebo gets at the least."""
CONTROL_PAIRS = 24
"""And so many any control at the most: then it stays unknown."""
DOUBTED_PAIRS = 24
"""Until so many pairs it is not believed that no number of them would decide."""
HOPELESS_TRIES = 3
"""An arm that failed so often and never worked gets no more trials."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a proof stands: what the next trials depend on."""

    setting: Setting
    outcomes: tuple[Outcome, ...]
    running: tuple[Trial, ...]
    verdicts: tuple[Verdict, ...]
    controls: tuple[Control, ...]
    ranked: tuple[str, ...] = ()
    """All factors in the order of the screening; empty before it ran, and without one."""
    left_s: float
    places: int = 1


@dataclass(frozen=True)
class _Line:
    """A factor or a control that waits for its next pair."""

    arm: Arm
    tier: int
    pair: int


def next_trials(standing: Standing) -> tuple[Trial, ...]:
    """Trials to start now, at most as many as places are free; none when the proof is over or must wait."""
    chosen: list[Trial] = []
    while len(standing.running) < standing.places:
        trial = _next(standing)
        if trial is None:
            break
        chosen.append(trial)
        standing = _started(standing, trial)
    return tuple(chosen)


def base_arm(setting: Setting) -> Arm:
    """Everything as planned."""
    return Arm(name="base", kind="base", on=setting.base)


def toggled_arm(setting: Setting, factor: str) -> Arm:
    """One factor left out, or one added."""
    name = f"without {factor}" if factor in setting.base else f"with {factor}"
    on = tuple(one for one in setting.factors if (one in setting.base) != (one == factor))
    return Arm(name=name, kind="toggled", on=on)


def control_arms(setting: Setting) -> tuple[Arm, ...]:
    """The controls that can be run here."""
    return tuple(Arm(name=kind, kind=kind, on=setting.base) for kind in setting.controls)


def screening_kind(standing: Standing) -> Kind | None:
    """The design that is under way, or that should be run now; None for none.

    Resolution IV where its runs take no more than their share of the time left and leave enough to confirm the front,
    else Plackett-Burman, else none. A proof that has begun to confirm is not screened any more.
    """
    setting = standing.setting
    begun = [one for one in _trials(standing) if one.stage == "screen"]
    kinds: tuple[Kind, ...] = ("resolution IV", "Plackett-Burman")
    if begun:
        return next((kind for kind in kinds if set(begun) <= set(_rows(setting, kind))), None)
    confirming = any(one.stage == "confirm" and one.arm.kind == "toggled" and one.pair for one in _trials(standing))
    unwanted = bool(setting.trial_s) and "screen" not in setting.trial_s
    if len(setting.factors) < SCREENED_FROM or confirming or unwanted:
        return None
    return next((kind for kind in kinds if _pays(standing, kind)), None)


def screening_rows(standing: Standing) -> tuple[Trial, ...]:
    """All trials of the screening, whether they ran or not; empty without one."""
    kind = screening_kind(standing)
    return _rows(standing.setting, kind) if kind else ()


def useless(outcomes: Sequence[Outcome], arm: Arm) -> bool:
    """It failed every time, and often enough."""
    own = [one for one in outcomes if one.trial.arm.name == arm.name]
    return len(own) >= HOPELESS_TRIES and all(one.score is None for one in own)


def least_s(setting: Setting, outcomes: Sequence[Outcome], places: int) -> float | None:
    """Seconds of one pair of runs, the least that a proof can do with; None where that is not known yet."""
    one = expected_s(setting, outcomes, Trial(stage="confirm", arm=base_arm(setting), pair=FIRST_PAIR["confirm"]))
    return None if one is None else one * (1 if places > 1 else 2)


def _next(standing: Standing) -> Trial | None:
    if any(control.passed is False for control in standing.controls):
        return None
    if useless(standing.outcomes, base_arm(standing.setting)):
        return None
    taken = {trial.key for trial in _trials(standing)}
    return next((one for one in _wanted(standing) if one.key not in taken and _fits(standing, one)), None)


def _wanted(standing: Standing) -> Iterator[Trial]:
    """Trials in the order in which they should run, those that have run among them."""
    setting, first = standing.setting, FIRST_PAIR["confirm"]
    yield Trial(stage="confirm", arm=base_arm(setting), pair=first)
    yield from (Trial(stage="confirm", arm=arm, pair=first) for arm in control_arms(setting))
    yield from screening_rows(standing)
    lines = [line for line in _lines(standing) if not useless(standing.outcomes, line.arm)]
    yield from _turns(standing, "confirm", [line for line in lines if line.tier < _LAST])
    yield from _turns(standing, "full", _full_lines(standing))
    yield from _turns(standing, "confirm", [line for line in lines if line.tier >= _LAST])


_LAST = 99
"""The tier of factors that will not be decided in the time left."""


def _turns(standing: Standing, stage: Stage, lines: Sequence[_Line]) -> Iterator[Trial]:
    """The lowest tier first; in it the lowest pair; in a pair base and arms in an order that is drawn.

    Before a pair is left for another one, its base has run.
    """
    base = base_arm(standing.setting)
    turns = sorted({(line.tier, line.pair) for line in lines})
    begun = {one.pair for one in _trials(standing) if one.stage == stage}
    yield from (Trial(stage=stage, arm=base, pair=pair) for pair in sorted(begun - {turns[0][1] if turns else -1}))
    for tier, pair in turns:
        arms = [base, *(line.arm for line in lines if (line.tier, line.pair) == (tier, pair))]
        yield from sorted(
            (Trial(stage=stage, arm=arm, pair=pair) for arm in arms),
            key=lambda trial: stream_seed(standing.setting.seed, "order of trials", trial.arm.name, trial.pair),
        )


def _lines(standing: Standing) -> Iterator[_Line]:
    """Controls and factors that are not decided, each with its next pair."""
    found = []
    for verdict in standing.verdicts:
        if verdict.word != "cannot tell yet":
            continue
        arm = toggled_arm(standing.setting, verdict.factor)
        pair = _next_pair(standing, "confirm", arm)
        tier = _tier(standing, verdict, pair - FIRST_PAIR["confirm"])
        if tier is not None:
            found.append(_Line(arm, tier, pair))
    first = min((line.tier for line in found), default=0)
    for arm in control_arms(standing.setting):
        pair = _next_pair(standing, "confirm", arm)
        passed = next((one.passed for one in standing.controls if one.kind == arm.kind), None)
        short = arm.kind == "placebo" and pair - FIRST_PAIR["confirm"] < PLACEBO_PAIRS
        if (passed is None or short) and pair - FIRST_PAIR["confirm"] < CONTROL_PAIRS:
            found.append(_Line(arm, min(first, _LAST - 1), pair))
    yield from found


def _tier(standing: Standing, verdict: Verdict, done: int) -> int | None:
    """How far off a decision is, in powers of two of pairs; before the first look, where the ranking has the factor.

    None where no number of pairs would decide, by more than a few of them.
    """
    if done < FIRST:
        wave = standing.ranked.index(verdict.factor) // FRONT if standing.ranked else 0
        return _doublings(FIRST) + wave
    if verdict.pairs_needed is None:
        return 2 * _LAST if done < DOUBTED_PAIRS else None
    far = _doublings(verdict.pairs_needed)
    return _LAST + far if _too_long(standing, verdict) else far


def _doublings(pairs: int) -> int:
    return ceil(log2(max(pairs, 1)))


def _too_long(standing: Standing, verdict: Verdict) -> bool:
    """More pairs than the time left has room for; bases that are there already cost nothing."""
    assert verdict.pairs_needed is not None
    arm = toggled_arm(standing.setting, verdict.factor)
    each = expected_s(standing.setting, standing.outcomes, Trial(stage="confirm", arm=arm, pair=0))
    if each is None:
        return False
    ahead = _next_pair(standing, "confirm", base_arm(standing.setting)) - _next_pair(standing, "confirm", arm)
    trials = verdict.pairs_needed + max(0, verdict.pairs_needed - max(0, ahead))
    return trials * each > standing.left_s * standing.places


def _full_lines(standing: Standing) -> list[_Line]:
    """Decided factors, largest effect first, as many as the time left has room for."""
    if "full" not in standing.setting.trial_s:
        return []
    decided = [one for one in standing.verdicts if one.word in ("paid", "hurt") and one.effect is not None]
    open_ones = sorted(
        (one for one in decided if one.stage == "confirm"), key=lambda one: -abs(one.effect.value if one.effect else 0)
    )
    base_s = expected_s(standing.setting, standing.outcomes, _full(standing, base_arm(standing.setting)))
    room = standing.left_s * standing.places / base_s if base_s else 0.0
    found: list[_Line] = []
    for place, verdict in enumerate(open_ones):
        arm = toggled_arm(standing.setting, verdict.factor)
        pair = _next_pair(standing, "full", arm)
        wanted = max(1, (verdict.effect.pairs if verdict.effect else 1) - (pair - FIRST_PAIR["full"]))
        room -= wanted * (2 if not place else 1)
        if room < 0:
            break
        found.append(_Line(arm, place // FRONT, pair))
    return found


def _full(standing: Standing, arm: Arm) -> Trial:
    return Trial(stage="full", arm=arm, pair=_next_pair(standing, "full", arm))


def _next_pair(standing: Standing, stage: Stage, arm: Arm) -> int:
    done = {one.pair for one in _trials(standing) if one.stage == stage and one.arm.name == arm.name}
    pair = FIRST_PAIR[stage]
    while pair in done:
        pair += 1
    return pair


def _fits(standing: Standing, trial: Trial) -> bool:
    """It ends in time, and so does the other half of its pair."""
    own = expected_s(standing.setting, standing.outcomes, trial)
    if own is None:
        return True
    partner = _missing_partner(standing, trial)
    other = expected_s(standing.setting, standing.outcomes, partner) or own if partner is not None else 0.0
    free = standing.places - len(standing.running)
    return (max(own, other) if free > 1 else own + other) <= standing.left_s


def _missing_partner(standing: Standing, trial: Trial) -> Trial | None:
    """What else must run for the trial to be worth anything: its base, or for a base any arm beside it."""
    if trial.stage == "screen":
        return None
    beside = [one for one in _trials(standing) if one.stage == trial.stage and one.pair == trial.pair]
    if trial.arm.kind == "base":
        factor = standing.setting.factors[0]
        return None if beside else Trial(stage=trial.stage, arm=toggled_arm(standing.setting, factor), pair=trial.pair)
    if any(one.arm.kind == "base" for one in beside):
        return None
    return Trial(stage=trial.stage, arm=base_arm(standing.setting), pair=trial.pair)


def _pays(standing: Standing, kind: Kind) -> bool:
    """The screening takes its share at most, and what is left confirms the front."""
    setting = standing.setting
    rows = _rows(setting, kind)
    row_s = expected_s(setting, standing.outcomes, rows[0])
    pair_s = expected_s(setting, standing.outcomes, Trial(stage="confirm", arm=base_arm(setting), pair=0))
    if row_s is None or pair_s is None:
        return False
    takes = len(rows) * row_s / standing.places
    confirming = CONFIRMED_PAIRS * (FRONT + 1 + len(setting.controls)) * pair_s / standing.places
    return takes <= SCREEN_SHARE * standing.left_s and takes + confirming <= standing.left_s


def _rows(setting: Setting, kind: Kind) -> tuple[Trial, ...]:
    return screening(setting, kind, FIRST_PAIR["screen"])


def _trials(standing: Standing) -> list[Trial]:
    return [*(one.trial for one in standing.outcomes), *standing.running]


def _started(standing: Standing, trial: Trial) -> Standing:
    return replace(standing, running=(*standing.running, trial))
