"""What is said of every factor and of the two controls, from the trials that have ended."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean
from typing import Literal

from fieldcraft.proof.common_error import overlap
from fieldcraft.proof.differences import cost_difference
from fieldcraft.proof.diverging import further_pairs as further_diverging
from fieldcraft.proof.diverging import more_often
from fieldcraft.proof.interval import interval, spread
from fieldcraft.proof.looks import FIRST, last_look
from fieldcraft.proof.needs import further_pairs
from fieldcraft.proof.pairing import Both, difference, pairs_of, scored
from fieldcraft.proof.rules import Rules, rules_of, with_resolution, word
from fieldcraft.records.proof import Between, Control, Outcome, Setting, Stage, Verdict, Word

STAGES: tuple[Stage, Stage] = ("confirm", "full")
NO_SHARES = frozenset({"rmse", "mae", "r2", "log-loss", "nll", "auroc"})
"""Metrics that one sample moves by any amount."""
ROUNDING = 1e-9
"""Of scores: what differs by less is the same number."""
ALIKE_IN_STEPS = 8
"""Pairs with the same share of right answers, from which on that is no chance any more."""
IN_STEP = 1e-4
"""How far a gap between scores may be from a whole number of steps."""


def verdicts(setting: Setting, outcomes: Sequence[Outcome]) -> tuple[Verdict, ...]:
    """One verdict a factor, in the order of the setting, with each its share of alpha.

    What the full budget says outranks what a shortened one said, once it has a word of its own. It is asked only where
    the shortened one has found that the factor paid or hurt (or was not asked at all): so it takes nothing off alpha.
    Outcomes of the screening are never looked at.
    """
    rules = rules_of(setting, max(1, len(setting.factors)))
    return tuple(_of_factor(setting, outcomes, factor, rules) for factor in setting.factors)


def controls(setting: Setting, outcomes: Sequence[Outcome]) -> tuple[Control, ...]:
    """What came of placebo and poison, each at an alpha of its own."""
    rules = rules_of(setting, 1)

    def judged(kind: Literal["placebo", "poison"]) -> Verdict:
        short = pairs_of(setting, outcomes, "confirm", kind=kind)
        stage: Stage = "confirm" if short else "full"
        pairs = short or pairs_of(setting, outcomes, stage, kind=kind)
        return _judged(setting, outcomes, kind, pairs, stage, rules)

    return (_placebo(judged("placebo")), _poison(judged("poison"), rules.margin))


def _of_factor(setting: Setting, outcomes: Sequence[Outcome], factor: str, rules: Rules) -> Verdict:
    short, full = (
        _judged(setting, outcomes, factor, pairs_of(setting, outcomes, stage, factor=factor), stage, rules)
        for stage in STAGES
    )
    if not full.differences and not full.failed:
        return short
    if not short.differences and not short.failed:
        return full
    if short.word not in ("paid", "hurt"):
        return replace(short, notes=(*short.notes, f"At the full budget, where it does not count yet: {full.because}"))
    if full.word == "cannot tell yet":
        return replace(short, notes=(*short.notes, f"At the full budget: {full.because}"))
    return replace(full, notes=(*full.notes, f"At the shortened budget: {short.because}"))


def _judged(
    setting: Setting, outcomes: Sequence[Outcome], name: str, pairs: Sequence[Both], stage: Stage, shared: Rules
) -> Verdict:
    """What the pairs of one factor or control say."""
    counted = [both for both in pairs if both.counts]
    differences = tuple(difference(setting, both) for both in counted)
    rules = with_resolution(shared, _one_sample(setting.metric, counted), _step(outcomes, stage))
    rules = _with_overlap(rules, counted, differences)
    effect = _effect(differences, counted, rules)
    diverging = more_often(pairs, rules.alpha_diverging)
    said = _word(effect, diverging, rules.margin, taken_out=name in setting.base)
    needed = _needed(differences, effect, pairs, rules) if said == "cannot tell yet" else None
    return Verdict(
        factor=name,
        word=said,
        effect=effect,
        differences=differences,
        stage=stage,
        trial_s=setting.trial_s.get(stage),
        because=_because(setting.metric, differences, effect, pairs, rules, diverging),
        margin=rules.margin,
        overlap=rules.overlap,
        pairs_needed=needed,
        seconds_needed=None if needed is None else _seconds(setting, outcomes, pairs, stage, needed),
        cost=cost_difference(pairs),
        failed=tuple(text for both in pairs if (text := _failure(both))),
        notes=_notes(setting, counted, differences, pairs, stage),
    )


def _with_overlap(rules: Rules, counted: Sequence[Both], differences: Sequence[float]) -> Rules:
    """As it is seen in the pairs of the last look; as it is assumed where folds come in turn and are not drawn."""
    look = last_look(len(differences))
    if not look or rules.folds:
        return rules
    return replace(rules, overlap=overlap(counted[:look], spread(differences[:look], rules), rules.overlap))


def _one_sample(metric: str, counted: Sequence[Both]) -> float | None:
    """Share that one sample makes of the smallest fold; None where the score is no mean of rights and wrongs."""
    if metric in NO_SHARES:
        return None
    ends = [one for both in counted for one in (both.on, both.off)]
    if not ends or not all(one.n and one.score is not None and 0 <= one.score <= 1 for one in ends):
        return None
    return 1 / min(one.n for one in ends)


def _step(outcomes: Sequence[Outcome], stage: Stage) -> float:
    """The step in which the scores of a stage move, where three or more of them are seen to move in steps; else 0."""
    scores = sorted(
        {one.score for one in outcomes if one.trial.stage == stage and one.score is not None and scored(one)}
    )
    same = ROUNDING * max(map(abs, scores), default=0.0)
    gaps = [high - low for low, high in pairwise(scores) if high - low > same]
    if len(gaps) < 2:
        return 0.0
    smallest = min(gaps)
    return smallest if all(abs(gap / smallest - round(gap / smallest)) < IN_STEP for gap in gaps) else 0.0


def _effect(differences: Sequence[float], counted: Sequence[Both], rules: Rules) -> Between | None:
    """None before the first look, and where nothing but the factor moves the scores: there is no spread to judge by."""
    found = interval(differences, rules)
    if found is None or not any(differences):
        return found
    unmoved = len({both.on.score for both in counted}) == len({both.off.score for both in counted}) == 1
    no_spread = found.high - found.low <= ROUNDING * max(map(abs, differences))
    return None if unmoved or no_spread else found


def _word(effect: Between | None, diverging: int, margin: float, *, taken_out: bool) -> Word:
    """What diverges more often is worse, whatever the trainings that ended say."""
    if diverging:
        return "paid" if (diverging == 1) == taken_out else "hurt"
    return "cannot tell yet" if effect is None else word(effect, margin)


def _needed(differences: Sequence[float], effect: Between | None, pairs: Sequence[Both], rules: Rules) -> int | None:
    """Further pairs until there is probably a word; at least those until the first look."""
    lost = sum(both.only_changed_diverged or both.only_base_diverged for both in pairs)
    if pairs and 2 * lost > len(pairs):
        return further_diverging(pairs, rules.alpha_diverging)
    if len(differences) < FIRST:
        missing = FIRST - len(differences)
    elif effect is None:
        return None
    else:
        found = further_pairs(fmean(differences), spread(differences, rules), len(differences), rules)
        if found is None:
            return None
        missing = found
    return round(missing * len(pairs) / len(differences)) if differences else missing


def _seconds(
    setting: Setting, outcomes: Sequence[Outcome], pairs: Sequence[Both], stage: Stage, needed: int
) -> float | None:
    """Wall clock of further pairs; the base is trained only for those in which it was not."""
    ended = [one for one in outcomes if one.trial.stage == stage]
    each = fmean([one.seconds for one in ended]) if ended else setting.trial_s.get(stage)
    if each is None:
        return None
    upto = (pairs[-1].pair if pairs else -1) + needed
    base = {one.trial.pair for one in ended if one.trial.arm.kind == "base"}
    missing = sum(pair not in base for pair in range(upto - needed + 1, upto + 1))
    return each * (needed + missing) / setting.workers


def _failure(both: Both) -> str:
    """Why a pair does not count; empty where it does."""
    reasons = [
        f"{one.trial.arm.name} diverged" if one.diverged else f"{one.trial.arm.name}: {one.error or 'no score'}"
        for one in (both.base, both.changed)
        if not scored(one)
    ]
    return f"pair {both.pair}: {', '.join(reasons)}" if reasons else ""


def _because(
    metric: str,
    differences: Sequence[float],
    effect: Between | None,
    pairs: Sequence[Both],
    rules: Rules,
    diverging: int,
) -> str:
    lost_changed = sum(both.only_changed_diverged for both in pairs)
    lost_base = sum(both.only_base_diverged for both in pairs)
    if diverging or (pairs and 2 * (lost_changed + lost_base) > len(pairs)):
        arm = pairs[0].changed.trial.arm.name if lost_changed >= lost_base else pairs[0].base.trial.arm.name
        return f"In {max(lost_changed, lost_base)} of {len(pairs)} pairs only {arm!r} diverged."
    if effect is None and len(differences) >= FIRST:
        return f"The same difference, {differences[0]:+.4g}, in all {len(differences)} pairs: no spread to judge by."
    if effect is None:
        return f"{len(differences)} of the {FIRST} pairs that the first look takes."
    if not any(differences):
        same = f"The results with it and without it are the same in all {len(differences)} pairs."
        return same if word(effect, rules.margin) != "cannot tell yet" else f"{same} {_numbers(metric, effect, rules)}"
    return _numbers(metric, effect, rules)


def _numbers(metric: str, effect: Between, rules: Rules) -> str:
    """The interval in words, and what of it decides."""
    seen = f"{effect.value:+.4g} of {metric} ({effect.low:+.4g} to {effect.high:+.4g}) in {effect.pairs} pairs"
    match word(effect, rules.margin):
        case "no effect that matters":
            return f"{seen}: less than {rules.margin:.4g} either way."
        case "paid" | "hurt":
            sure = abs(effect.low if effect.value > 0 else effect.high) > rules.margin
            return (
                f"{seen}: "
                + ("more than" if sure else "not nought, and at the best guess not less than")
                + (f" the {rules.margin:.4g} that matter.")
            )
        case _:
            return f"{seen}: it may be nought, and it may be more than the {rules.margin:.4g} that matter."


def _notes(
    setting: Setting, counted: Sequence[Both], differences: Sequence[float], pairs: Sequence[Both], stage: Stage
) -> tuple[str, ...]:
    notes = []
    planned, trial_s = setting.planned_s, setting.trial_s.get(stage)
    if counted and planned is not None and trial_s is not None and trial_s < planned:
        notes.append(f"Holds for trainings of {trial_s:.3g} s; a fit of the plan would take {planned:.3g} s.")
    steps = _one_sample(setting.metric, counted) is not None
    if len(counted) >= (ALIKE_IN_STEPS if steps else FIRST) and len({both.base.score for both in counted}) == 1:
        notes.append("The plan as it stands scored the same in every pair: its training seems to ignore the seed.")
    if differences and len(counted) < len(pairs):
        notes.append(f"The effect is that of the {len(counted)} pairs in which both trainings ended with a score.")
    return tuple(notes)


def _placebo(verdict: Verdict) -> Control:
    """It must be called neither paid nor hurt."""
    wrong = verdict.word in ("paid", "hurt")
    passed = False if wrong else None if verdict.effect is None else True
    if wrong:
        because = (
            f"Only a stream that cannot matter was changed, and yet it was called {verdict.word}: {verdict.because}"
        )
    else:
        because = verdict.because
    return Control(kind="placebo", verdict=verdict, passed=passed, because=because)


def _poison(verdict: Verdict, margin: float) -> Control:
    """It must be called hurt; what cannot hurt by the margin any more has failed."""
    if verdict.word == "hurt":
        return Control(kind="poison", verdict=verdict, passed=True, because=verdict.because)
    harmless = verdict.word != "cannot tell yet" or (verdict.effect is not None and verdict.effect.low > -margin)
    if harmless:
        because = f"Training labels were made wrong, and it did not hurt: {verdict.because}"
        return Control(kind="poison", verdict=verdict, passed=False, because=because)
    return Control(kind="poison", verdict=verdict, passed=None, because=verdict.because)
