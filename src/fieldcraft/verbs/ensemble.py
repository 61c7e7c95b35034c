"""The end of a ladder: candidates are averaged, by weights chosen on validation, and stay together if that gains."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fieldcraft.plan.schema import ENSEMBLE, Plan
from fieldcraft.prediction.ensemble import Chosen, choose
from fieldcraft.prediction.spec import MemberSpec
from fieldcraft.records.results import Candidate, Member
from fieldcraft.records.streams import stream_seed
from fieldcraft.report.metrics import spoken
from fieldcraft.verbs.candidates import Judged, keep
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.work import Work

FOLDS = 5
NOISES = 2.0
"""Standard errors by which the plan's metric may be worse than that of the best candidate."""
LEAST = 20
"""Validation samples (or groups of them) below which no weights are chosen."""


def average(judged: Sequence[Judged], judge: Judge, work: Work) -> Judged | None:
    """An average of candidates, where samples that its weights were not chosen on speak for it; else None.

    They do where its log-loss (or squared error) is lower than that of the best kind of model, both chosen on other
    samples, and the plan's metric not much worse than that of the best candidate, whose value is flattered by having
    been picked. Averages of models that err differently gain as a rule: more is not asked of them.
    """
    began = work.clock.spent_s
    samples, task = judge.samples, judge.plan.task.kind
    able = [one for one in judged if one.candidate.name != "majority"]
    copies = {rung.name: rung.copy_of for rung in judge.plan.ladder.rungs}
    kinds = [copies.get(one.candidate.name) or one.candidate.name for one in able]
    folds = _folds(samples.groups("validation"), len(samples.parts.validation), judge.plan.seed)
    if len(able) < 2 or folds is None:
        return None
    truth, best = samples.truth("validation"), judge.best(able)
    chosen = choose([one.outputs for one in able], truth, task, folds, kinds)
    found = judge.compare(chosen.outputs, best.outputs)
    members = _members(able, chosen, copies)
    if len(members) < 2 or found.gain < -NOISES * found.noise:
        because = "one candidate got all of the weight" if len(members) < 2 else f"cross-fitted, {found.words}"
        work.note(f"no average is returned: {because}, against {best.candidate.name} alone")
        return None
    done = Judged(
        candidate=Candidate(
            name=ENSEMBLE, kind="ensemble", validation=judge.value(chosen.outputs),
            noise=judge.noise(chosen.outputs, able), seconds=work.clock.spent_s - began,
            sample=f"weights chosen on {len(truth):,} validation samples, judged cross-fitted",
            parameters=parameters(able, members), members=members,
            note=f"averages {spoken_members(members)}",
        ),
        outputs=chosen.outputs,
    )  # fmt: skip
    keep(work.folder.rungs, done)
    told = f"{spoken(judge.metric)} {done.candidate.validation:.4g} on validation"
    work.say(f"{ENSEMBLE}: {told}, the average of {spoken_members(members)}")
    return done


def _members(able: Sequence[Judged], chosen: Chosen, copies: Mapping[str, str]) -> tuple[Member, ...]:
    """Those that take part, the heaviest first."""
    found = [
        Member(name=one.candidate.name, weight=weight, temperature=warm, copy_of=copies.get(one.candidate.name, ""))
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
    alike = Counter((one.copy_of or one.name, one.weight) for one in members)
    told = [
        f"{count} x {weight:.2g} {name}" if count > 1 else f"{weight:.2g} {name}"
        for (name, weight), count in alike.items()
    ]
    return " and ".join((", ".join(told[:-1]), told[-1])) if len(told) > 1 else told[0]


def parameters(judged: Sequence[Judged], members: Sequence[Member]) -> int | None:
    """Weights of all networks among the members; None where there are none."""
    counts = {one.candidate.name: one.candidate.parameters or 0 for one in judged}
    return sum(counts[one.name] for one in members) or None


def _folds(groups: npt.NDArray[np.generic] | None, n: int, seed: int) -> npt.NDArray[np.int64] | None:
    """(n,): the fold of each sample, groups whole; None for too few."""
    unit = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(unit.max()) + 1 if n else 0
    if count < LEAST:
        return None
    order = np.random.default_rng(stream_seed(seed, "ensemble")).permutation(count)
    found: npt.NDArray[np.int64] = order[unit] % FOLDS
    return found
