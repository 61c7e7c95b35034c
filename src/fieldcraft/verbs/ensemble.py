"""The end of a ladder: candidates are averaged, by weights chosen on validation, and stay together if that gains."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fieldcraft.plan.schema import ENSEMBLE, ImageInput, Plan
from fieldcraft.prediction.ensemble import Candidates, Chosen, choose
from fieldcraft.prediction.spec import MemberSpec
from fieldcraft.records.results import Candidate, Member
from fieldcraft.records.streams import stream_seed
from fieldcraft.report.metrics import spoken
from fieldcraft.tips.ensemble import LEAST_VALIDATION
from fieldcraft.train.journal import Climbed
from fieldcraft.verbs.candidates import Judged, keep
from fieldcraft.verbs.judge import LOSSES, Judge
from fieldcraft.verbs.work import Work

DOUBT = 2.0
"""Standard errors by which an average may be worse in a metric that is coarser than the loss its weights were chosen
by: of few samples, a single one that is told rightly or wrongly makes a difference of one."""


def average(judged: Sequence[Judged], judge: Judge, work: Work) -> Judged | str | None:
    """An average of candidates, where samples that its weights were not chosen on speak for it; else why not.

    They do where its log-loss (or squared error) is lower than that of the best kind of model, both chosen on other
    samples, and the plan's metric not worse than that of what would be returned alone (beyond doubt, where that metric
    is a coarse one); repetitions of networks apart, of which one is always lucky. Averages of models that err
    differently gain as a rule: more is not asked of them. None: there is nothing to average.
    """
    began = work.clock.spent_s
    samples, plan = judge.samples, judge.plan
    able = [one for one in judged if _is_able(one, plan)]
    if len(able) < 2:
        return None
    best, units = judge.best(firsts(judged)), _units(samples.groups("validation"), len(samples.parts.validation))
    if best not in able:
        return f"nothing is better than {best.candidate.name}"
    if units.max() + 1 < LEAST_VALIDATION:
        return f"{units.max() + 1} validation samples or groups are too few to choose weights on"
    candidates = Candidates(
        outputs=[one.outputs for one in able],
        kinds=[kind_of(one.candidate) for one in able],
        truth=samples.truth("validation"), task=plan.task.kind, calibrate=plan.prediction.calibrate,
    )  # fmt: skip
    chosen = choose(candidates, units, stream_seed(plan.seed, "ensemble"))
    members = _members(able, chosen)
    if len(members) < 2:
        return f"{members[0].name} got all of the weight"
    found = judge.compare(chosen.outputs, best.outputs)
    doubt = 0.0 if judge.metric in LOSSES else DOUBT
    if found.gain < -doubt * found.noise:
        return f"cross-fitted, {found.words}, against {best.candidate.name} alone"
    return Judged(
        candidate=Candidate(
            name=ENSEMBLE, kind="ensemble", validation=judge.value(chosen.outputs),
            noise=judge.noise(chosen.outputs, judged), seconds=work.clock.spent_s - began,
            sample=f"weights chosen on {len(units):,} validation samples, judged cross-fitted",
            parameters=parameters(able, members), members=members, note=f"averages {spoken_members(members)}",
        ),
        outputs=chosen.outputs,
    )  # fmt: skip


def declined(work: Work) -> bool:
    """Whether this run, or the part of it before a stop, decided against an average."""
    return any(isinstance(one, Climbed) and one.rung == ENSEMBLE and not one.go for one in work.journal.read())


def firsts(judged: Sequence[Judged]) -> list[Judged]:
    """Candidates without the repetitions of networks."""
    return [one for one in judged if not one.candidate.copy_of]


def kind_of(one: Candidate | Member) -> str:
    """The name that a network shares with its repetitions."""
    return one.copy_of or one.name


def concluded(found: Judged | str | None, metric: str, work: Work) -> Judged | None:
    """Keep an average, or note why there is none."""
    if isinstance(found, str):
        work.journal.write(Climbed(rung=ENSEMBLE, go=False, because=found))
        work.note(f"no average is returned: {found}")
        return None
    if found is not None:
        keep(work.folder.rungs, found)
        told = f"{spoken(metric)} {found.candidate.validation:.4g} on validation"
        work.say(f"{ENSEMBLE}: {told}, the average of {spoken_members(found.candidate.members)}")
    return found


def _is_able(one: Judged, plan: Plan) -> bool:
    """Whether it can take part: it looks at samples, and at the same images as the others."""
    if one.candidate.kind == "baseline":
        several = isinstance(plan.input, ImageInput) and bool(plan.input.buckets)
        return one.candidate.name != "majority" and not several
    return True


def _members(able: Sequence[Judged], chosen: Chosen) -> tuple[Member, ...]:
    """Those that take part, the heaviest first."""
    found = [
        Member(name=one.candidate.name, weight=weight, temperature=warm, copy_of=one.candidate.copy_of)
        for one, weight, warm in zip(able, chosen.weights, chosen.temperatures, strict=True)
        if weight > 0
    ]
    return tuple(sorted(found, key=lambda one: -one.weight))


def member_specs(members: Sequence[Member], plan: Plan) -> tuple[MemberSpec, ...]:
    """How the members are described in a saved model."""
    networks = {rung.name: rung.network for rung in plan.ladder.rungs}
    return tuple(
        MemberSpec(name=one.name, weight=one.weight, temperature=one.temperature, network=networks.get(one.name))
        for one in members
    )


def spoken_members(members: Sequence[Member]) -> str:
    """Names and weights, in words; a network and its repetitions as one."""
    alike = Counter((kind_of(one), one.weight) for one in members)
    told = [
        f"{count} x {weight:.2g} {name}" if count > 1 else f"{weight:.2g} {name}"
        for (name, weight), count in alike.items()
    ]
    return " and ".join((", ".join(told[:-1]), told[-1])) if len(told) > 1 else told[0]


def parameters(judged: Sequence[Judged], members: Sequence[Member]) -> int | None:
    """Weights of all networks among the members; None where there are none."""
    counts = {one.candidate.name: one.candidate.parameters or 0 for one in judged}
    return sum(counts[one.name] for one in members) or None


def _units(groups: npt.NDArray[np.generic] | None, n: int) -> npt.NDArray[np.int64]:
    """(n,): what stays together, numbered from 0."""
    found: npt.NDArray[np.int64] = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    return found
