"""A proof in words: units, verdicts and sentences that the page and the terminal share."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fieldcraft.records.proof import Between, Control, FinalLook, Proof, Setting, Verdict, Word
from fieldcraft.report.metrics import metric, spoken
from fieldcraft.report.wording import MINUS, number, percent, plural, seconds, shortened

WORDS: tuple[Word, ...] = ("paid", "hurt", "no effect that matters", "cannot tell yet")
GLYPHS: dict[Word, str] = {"paid": "▲", "hurt": "▼", "no effect that matters": "■", "cannot tell yet": "○"}
"""A shape for each verdict, so that none is told by its colour alone."""
DISTRUST = "not trusted"
"""What stands in a verdict's place when a control failed."""
MISSED = {
    "placebo": "nothing shows that this proof sees no difference where there is none",
    "poison": "nothing shows that it would see a harm that is there",
}
NAMED = 6
"""Factors that a sentence names; it counts the others."""
LONGEST = 48
"""Letters of a name in a sentence."""
SPACE = "\N{NO-BREAK SPACE}"
"""Within an interval, so that lines break before it."""
RULES = {
    "placebo": "Only a random stream that cannot matter was changed: it must come out as neither paid nor hurt.",
    "poison": (
        "Training labels were made wrong (half of them permuted, or masks moved by half of their sides): it must come "
        "out as hurting."
    ),
}
SUSPECTS = {
    "placebo": (
        "Trainings that differ in nothing that matters came out different, so differences between the others may be as "
        "empty. Look for what else differs between them: a seed that is not used, state that one training leaves to "
        "the next, trainings that are cut off by the clock while the machine is busy."
    ),
    "poison": (
        "Wrong labels did no harm that could be seen, so harm and gain of the others could be missed as well. Look at "
        "whether the score is measured on samples that took no part in training, and whether trainings are long enough "
        "to learn anything."
    ),
}


@dataclass(frozen=True)
class Units:
    """How effects are written: shares in percentage points, everything else in the metric's own units."""

    scale: float
    name: str
    """What they are called; nothing for the metric's own units."""
    decimals: int

    def plain(self, value: float) -> str:
        """A number without its sign where it is positive."""
        scaled = self.scale * value
        if not math.isfinite(scaled):
            return number(scaled)
        text = f"{scaled:,.{self.decimals}f}"
        return text.removeprefix("-") if not float(text.replace(",", "")) else text.replace("-", MINUS)

    def signed(self, value: float) -> str:
        """A number with its sign."""
        text = self.plain(value)
        return text if text.startswith(MINUS) or not any(letter in "123456789∞" for letter in text) else f"+{text}"

    def named(self, text: str) -> str:
        """With the unit behind it."""
        return f"{text}{SPACE}{self.name}" if self.name else text

    def ends(self, one: Between) -> str:
        """Both ends: "−0.11 to 1.20"."""
        return f"{self.plain(one.low)}{SPACE}to{SPACE}{self.plain(one.high)}"

    def effect(self, one: Between) -> str:
        """All of it: "+0.82 points (0.31 to 1.33)"."""
        return f"{self.named(self.signed(one.value))} ({self.ends(one)})"


def units_of(proof: Proof) -> Units:
    """Units of the proof's metric, with as many decimals as its margin asks for.

    A metric that goes by the name of a share, yet has scores above 1, is in per cent already: those are points as well.
    """
    setting = proof.setting
    known = metric(setting.metric)
    scores = [abs(one.score) for one in proof.outcomes if one.score is not None and math.isfinite(one.score)]
    scale = 100.0 if known.share and max(scores, default=0.0) <= 1.0 else 1.0
    decimals = min(max(1 - math.floor(math.log10(scale * setting.margin)), 0), 8)
    return Units(scale, "points" if known.share else "", decimals)


def margin_of(proof: Proof) -> float:
    """The smallest effect that matters: the setting's, or the largest that a verdict was held against."""
    return max([proof.setting.margin, *(one.margin for one in proof.verdicts if one.margin is not None)])


def margin_shown(proof: Proof) -> str:
    """The same in words."""
    units = units_of(proof)
    return units.named(units.plain(margin_of(proof)))


def ordered(proof: Proof) -> tuple[Verdict, ...]:
    """By effect, the best first; those without any at the end."""
    return tuple(sorted(proof.verdicts, key=lambda one: -one.effect.value if one.effect else math.inf))


def word_shown(proof: Proof, verdict: Verdict) -> str:
    """The verdict's word, if anything is to be trusted."""
    return verdict.word if proof.trusted else DISTRUST


def glyph_shown(proof: Proof, verdict: Verdict) -> str:
    """The verdict's shape; that of "cannot tell yet" if nothing is to be trusted."""
    return GLYPHS[verdict.word if proof.trusted else "cannot tell yet"]


def direction(setting: Setting) -> str:
    """What a positive effect is."""
    return f"positive: better, which is {'more' if setting.higher_is_better else 'less'} {spoken(setting.metric)}"


def lead(proof: Proof) -> str:
    """What came out, in one sentence."""
    failed = [one for one in proof.controls if one.passed is False]
    if failed:
        return f"Nothing here is to be trusted: {joined(_failure(one) for one in failed)}."
    counts = {word: sum(one.word == word for one in proof.verdicts) for word in WORDS}
    tested = len(proof.verdicts)
    open_ones = counts["cannot tell yet"]
    if open_ones == tested:
        which = "the factor" if tested == 1 else f"any of the {tested} factors"
        return f"It cannot be told yet whether {which} paid."
    have = "has" if counts["no effect that matters"] == 1 else "have"
    phrases: dict[Word, str] = {
        "paid": "paid",
        "hurt": "hurt",
        "no effect that matters": f"{have} no effect that matters",
    }
    if tested == 1:
        return f"{name(proof.verdicts[0].factor)} {phrases[proof.verdicts[0].word]}."
    told = [f"{counts[word]} {phrase}" for word, phrase in phrases.items() if counts[word]]
    rest = f"; {open_ones} cannot be told yet" if open_ones else ""
    return f"Of {plural(tested, 'factor')}, {joined(told)}{rest}."


def _failure(control: Control) -> str:
    if control.kind == "poison":
        return "the poison did not come out as hurting"
    return f"the placebo came out as “{control.verdict.word}”"


def warnings(proof: Proof) -> tuple[str, ...]:
    """What to know before anything else."""
    failed = [SUSPECTS[one.kind] for one in proof.controls if one.passed is False]
    if failed:
        return tuple(failed)
    told = []
    waiting = [one.kind for one in proof.controls if one.passed is None]
    if waiting:
        whether = "whether the control passes" if len(waiting) == 1 else "whether the controls pass"
        told.append(f"Not known yet {whether} ({joined(waiting)}): until then every verdict is provisional.")
    missing = [kind for kind in RULES if kind not in {one.kind for one in proof.controls}]
    if missing:
        told.append(f"There is no {' and no '.join(missing)} here: {joined(MISSED[one] for one in missing)}.")
    return tuple(told)


def class_sentences(proof: Proof) -> tuple[tuple[Word, str], ...]:
    """For each verdict that was given, which factors got it and by how much; none when nothing is to be trusted."""
    if not proof.trusted:
        return ()
    units = units_of(proof)
    heads: dict[Word, str] = {
        "paid": "Paid",
        "hurt": "Hurt",
        "no effect that matters": f"No effect that matters (less than {margin_shown(proof)} either way)",
        "cannot tell yet": "Cannot tell yet",
    }
    found = []
    for word in WORDS:
        given = [one for one in ordered(proof) if one.word == word]
        if word == "hurt":
            given.reverse()
        if given:
            told = names([one.factor for one in given]) if word == "cannot tell yet" else _listed(given, units)
            found.append((word, f"{heads[word]}: {told}."))
    return tuple(found)


def _listed(given: Sequence[Verdict], units: Units) -> str:
    told = [
        f"{name(one.factor)} {units.effect(one.effect)}" if one.effect else name(one.factor) for one in given[:NAMED]
    ]
    rest = len(given) - NAMED
    return "; ".join(told) + (f"; and {rest} more" if rest > 0 else "")


def changes(proof: Proof) -> tuple[str, ...]:
    """What the verdicts ask to change about the plan."""
    if not proof.trusted:
        return ()
    base = set(proof.setting.base)
    drop = [one.factor for one in proof.verdicts if one.word == "hurt" and one.factor in base]
    add = [one.factor for one in proof.verdicts if one.word == "paid" and one.factor not in base]
    told = []
    if drop:
        told.append(f"In the plan, and better left out: {names(drop)}.")
    if add:
        told.append(f"Not in the plan, and worth adding: {names(add)}.")
    return tuple(told)


def control_title(control: Control) -> str:
    """The control and what came of it: "Placebo: passed"."""
    state = {True: "passed", False: "FAILED", None: "not known yet"}[control.passed]
    return f"{control.kind.capitalize()}: {state}"


def control_line(control: Control, units: Units) -> str:
    """What was measured."""
    effect = control.verdict.effect
    if effect is None:
        return f"no effect yet, {plural(len(control.verdict.differences), 'pair')}"
    return f"{units.effect(effect)}, {plural(effect.pairs, 'pair')}"


def undecided(proof: Proof) -> tuple[str, ...]:
    """What it would take to decide the rest; nothing when all is decided."""
    rest = [one for one in proof.verdicts if one.word == "cannot tell yet"]
    if not rest:
        return ()
    known = [one for one in rest if one.pairs_needed is not None]
    never = [one for one in rest if one.pairs_needed is None and one.effect is not None]
    new = [one.factor for one in rest if one.pairs_needed is None and one.effect is None]
    told = []
    if len(known) == 1:
        told.append(f"To decide {name(known[0].factor)} would probably take {needed(known[0])}.")
    elif known:
        pairs = sum(one.pairs_needed or 0 for one in known)
        timed = [one.seconds_needed for one in known if one.seconds_needed is not None]
        time = f" and {roughly(sum(timed))}" if len(timed) == len(known) else ""
        nearest = min(known, key=lambda one: (one.seconds_needed or 0.0, one.pairs_needed or 0))
        told.append(
            f"To decide {names([one.factor for one in known])} would probably take {plural(pairs, 'more pair')}{time} "
            f"in all, less where factors share the trainings of the plan as it stands. The nearest is "
            f"{name(nearest.factor)}: {needed(nearest)}."
        )
    if never:
        told.append(
            f"No number of pairs would probably decide {names([one.factor for one in never])}: "
            f"{_why_never(proof.setting, never)}."
        )
    if new:
        told.append(f"Nothing can be said yet of {names(new)}: there are too few pairs for an interval.")
    return tuple(told)


def _why_never(setting: Setting, never: Sequence[Verdict]) -> str:
    close = "what was seen lies too close to nought or to the smallest effect that matters"
    if not any(setting.overlap if one.overlap is None else one.overlap for one in never):
        return close
    return f"folds share samples, so that intervals narrow only so far, and {close}; more data would narrow them"


def looked(proof: Proof, look: FinalLook) -> str:
    """What came of the last look at the test part, in one sentence."""
    one = look.difference
    doubt = ": the interval holds zero, so that may be chance" if one.low <= 0 <= one.high else ""
    return (
        f"On {plural(look.n, 'sample')} that took no part in any verdict, the plan without what did not pay came "
        f"out {units_of(proof).effect(one)} against the plan as it stood{doubt}."
    )


def pairs_shown(verdict: Verdict) -> str:
    """Pairs of the effect, and of how many: the last look may lie some pairs back."""
    seen = len(verdict.differences)
    if verdict.effect is None or verdict.effect.pairs == seen:
        return str(seen)
    return f"{verdict.effect.pairs}{SPACE}of{SPACE}{seen}"


def needed(verdict: Verdict) -> str:
    """What one factor would take: "14 more pairs, 6 min"; empty where that is not known."""
    if verdict.pairs_needed is None:
        return ""
    time = f", {roughly(verdict.seconds_needed)}" if verdict.seconds_needed is not None else ""
    return f"{plural(verdict.pairs_needed, 'more pair')}{time}"


def roughly(value: float) -> str:
    """An estimated duration, to two digits."""
    return seconds(float(f"{value:.2g}"))


def holds(proof: Proof) -> tuple[str, ...]:
    """At which budget the verdicts hold."""
    if not proof.trusted:
        return ("None of the verdicts holds: a control failed.",)
    groups: dict[tuple[str, float | None], list[str]] = {}
    for one in proof.verdicts:
        if one.effect is not None:
            groups.setdefault((one.stage, one.trial_s), []).append(one.factor)
    planned = proof.setting.planned_s
    found = []
    for (stage, trial_s), factors in sorted(groups.items(), key=lambda item: item[0][1] or 0.0):
        whose = "All verdicts hold" if len(groups) == 1 else f"The verdicts on {names(factors)} hold"
        if trial_s is None:
            found.append(f"{whose} for trainings as they were run; how long they were planned to take is not known.")
        elif stage == "full":
            found.append(f"{whose} at the full budget: trainings of {seconds(trial_s)}.")
        elif planned and trial_s < planned:
            found.append(
                f"{whose} for trainings of {seconds(trial_s)}, {percent(trial_s / planned, 0)} of the "
                f"{seconds(planned)} that the plan has. Longer trainings may tell otherwise."
            )
        else:
            found.append(f"{whose} for trainings of {seconds(trial_s)}.")
    return tuple(found)


def note(proof: Proof, verdict: Verdict) -> str:
    """What else is to be known of a factor, in a few words."""
    parts = []
    if verdict.word == "cannot tell yet" and verdict.pairs_needed is not None and proof.trusted:
        parts.append(f"needs {needed(verdict)}")
    if verdict.failed:
        parts.append(f"{plural(len(verdict.failed), 'pair')} failed")
    if verdict.stage == "full":
        parts.append("at the full budget")
    return "; ".join(parts)


def cost_difference(one: Between | None, unit: str) -> str:
    """What a factor costs: "+1.2 s (0.9 to 1.5)"; a cost that is the same in every pair stands without an interval."""
    if one is None:
        return "–"
    width = one.high - one.low
    if not math.isfinite(width):
        return f"{_signed(number(one.value, 2))}{SPACE}{unit} (not known how surely)"
    if not width:
        return f"{_signed(number(one.value))}{SPACE}{unit}".rstrip(SPACE)
    units = Units(1.0, unit, min(max(1 - math.floor(math.log10(width)), 0), 6))
    return units.effect(one)


def _signed(text: str) -> str:
    return text if text.startswith(MINUS) or text == "0" else f"+{text}"


def name(factor: str) -> str:
    """A factor's name in a sentence."""
    return shortened(factor, LONGEST)


def names(factors: Sequence[str]) -> str:
    """Factors in a sentence; many are counted."""
    shown = [name(one) for one in factors[:NAMED]]
    rest = len(factors) - NAMED
    return joined([*shown, f"{rest} more"] if rest > 0 else shown)


def joined(parts: Iterable[str]) -> str:
    """Parts in a sentence, such as "a, b and c"."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
