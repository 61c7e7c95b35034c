"""From a proof to lines of evidence: what it says of tips, without data, paths or names of samples."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b

from pydantic import TypeAdapter

from fieldcraft.errors import RunError
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import to_toml
from fieldcraft.records.evidence import CostName, Estimate, Evidence
from fieldcraft.records.facts import Facts
from fieldcraft.records.prior import FAMILIES
from fieldcraft.records.proof import Between, Proof, Setting, Verdict

COSTS: tuple[CostName, ...] = ("seconds", "memory_mib", "parameters", "latency_ms")
_SETTING, _FACTS = TypeAdapter(Setting), TypeAdapter(Facts)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a proof stands on, beside what it found."""

    facts: Facts
    plan: Plan
    tips: Mapping[str, str]
    """Versions of all tips that there are, by name."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the packages that it ran with."""
    name: str = ""
    """What the data set is known by in public, if it is."""


def filed(proof: Proof, ground: Ground, *, on: str = "") -> tuple[Evidence, ...]:
    """A line for each tip of which there is a verdict or an effect. `on`: the day, by default today.

    Raises: RunError when a control failed, when no verdict is about a tip, or when nothing is known of any tip yet.
    """
    if bad := [one for one in proof.controls if one.passed is False]:
        told = "; ".join(f"{one.kind}: {one.because}" for one in bad)
        raise RunError(f"this proof is not filed, since it is not to be trusted: a control failed ({told}).")
    verdicts = [one for one in proof.verdicts if one.factor in ground.tips]
    if not verdicts:
        raise RunError(
            "this proof says nothing of a tip, so there is nothing to file: evidence is about tips, not about switches "
            "of one's own training function."
        )
    day = on or datetime.now(UTC).date().isoformat()
    lines = tuple(
        _line(one, proof, ground, day)
        for one in verdicts
        if one.word != "cannot tell yet" or _effect(one, proof) is not None
    )
    if not lines:
        raise RunError("this proof knows nothing of any tip yet: `fieldcraft prove` with a larger --budget goes on.")
    return lines


def _line(verdict: Verdict, proof: Proof, ground: Ground, day: str) -> Evidence:
    setting, facts = proof.setting, ground.facts
    plan = _digest(to_toml(ground.plan))
    return Evidence(
        proof=_digest(f"{facts.data.digest} {plan} {_SETTING.dump_json(setting).decode()}"),
        tip=verdict.factor,
        version=ground.tips[verdict.factor],
        data=facts.data.digest,
        name=ground.name,
        task=facts.data.target.task,
        kind=facts.data.inputs.kind,
        samples=facts.data.samples,
        facts=_digest(_FACTS.dump_json(facts).decode()),
        plan=plan,
        planned=verdict.factor in setting.base,
        metric=setting.metric,
        higher_is_better=setting.higher_is_better,
        effect=_effect(verdict, proof),
        level=_level(verdict, proof),
        word=verdict.word,
        margin=verdict.margin or setting.margin,
        alpha=setting.alpha,
        stage=verdict.stage,
        trial_s=verdict.trial_s,
        planned_s=setting.planned_s,
        measures=setting.effect,
        equal=setting.equal,
        costs={name: _estimate(cost) for name in COSTS if (cost := getattr(verdict.cost, name)) is not None},
        controls=tuple(one.kind for one in proof.controls if one.passed),
        processor=facts.machine.processor,
        cores=facts.machine.cores,
        gpu=facts.machine.gpu,
        versions=ground.versions,
        date=day,
    )


def _effect(verdict: Verdict, proof: Proof) -> Estimate | None:
    if verdict.effect is None or not math.isfinite(verdict.effect.value):
        return None
    return _estimate(verdict.effect, standard_error(verdict, proof))


def standard_error(verdict: Verdict, proof: Proof) -> float | None:
    """Of the mean of the differences up to the last look. None with fewer than two, or when they are all the same.

    What pairs err together is allowed for as in the verdict: variance times (1 / n + overlap). Shares of right answers
    come in steps of one sample, so that few pairs can agree by chance: their variance is taken for no less than what
    rounding to such steps gives a difference, a sixth of a squared step.
    """
    pairs = verdict.differences[: verdict.effect.pairs if verdict.effect else None]
    if len(pairs) < 2:
        return None
    variance = statistics.variance(pairs)
    overlap = proof.setting.overlap if verdict.overlap is None else verdict.overlap
    sizes = [one.n for one in proof.outcomes if one.n > 0 and one.trial.stage == verdict.stage]
    if sizes and FAMILIES.get(proof.setting.metric) == "accuracy":
        variance = max(variance, min(sizes) ** -2 / 6)
    return math.sqrt(variance * (1 / len(pairs) + overlap)) or None


def _level(verdict: Verdict, proof: Proof) -> float | None:
    scores = [
        one.score
        for one in proof.outcomes
        if one.score is not None and one.trial.arm.kind == "base" and one.trial.stage == verdict.stage
    ]
    return statistics.fmean(scores) if scores else None


def _estimate(between: Between, error: float | None = None) -> Estimate:
    return Estimate(
        value=between.value, low=_end(between.low), high=_end(between.high), error=error, pairs=between.pairs
    )


def _end(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
