"""The end of a ladder of masks: the best network and its repetitions are averaged, and stay together if that gains."""

from collections.abc import Sequence

import numpy as np

from fieldcraft.build.network import build_network
from fieldcraft.plan.schema import ENSEMBLE, Plan
from fieldcraft.prediction.masks.model import MaskModel, mean_logits
from fieldcraft.prediction.model import averaging
from fieldcraft.prediction.spec import ModelSpec, of_member
from fieldcraft.records.results import Candidate, Member
from fieldcraft.report.metrics import spoken
from fieldcraft.train.engine import Engine, engine
from fieldcraft.verbs import candidates
from fieldcraft.verbs.candidates import Judged, keep
from fieldcraft.verbs.ensemble import parameters, spoken_members
from fieldcraft.verbs.judge import Outputs
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.last_steps import spec_of
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.masks.whole import labels_on_own_grid
from fieldcraft.verbs.work import Work


def average_masks(judged: Sequence[Judged], plan: Plan, judge: MaskJudge, work: Work) -> Judged | None:
    """The average of the best networks, where it is better than the best one alone.

    Networks join one after the other, the best first, each with the same weight: only their number is chosen on
    validation, so a higher mean there is enough.
    """
    began = work.clock.spent_s
    able = sorted((one for one in judged if one.candidate.kind == "rung"), key=lambda one: -one.candidate.validation)
    if len(able) < 2:
        return None
    samples, machine, best = judge.samples, engine(plan.execution), judge.best(judged)
    alone = [_alone(one, plan, samples, machine, work) for one in able]
    outputs = _joining(alone, judge)
    count = max(range(2, len(able) + 1), key=lambda size: judge.value(outputs[size - 1]))
    found = judge.compare(outputs[count - 1], best.outputs)
    if found.gain <= 0:
        work.note(f"no average is returned: {found.words}, against {best.candidate.name} alone")
        return None
    copies = {rung.name: rung.copy_of for rung in plan.ladder.rungs}
    names = [one.candidate.name for one in able[:count]]
    members = tuple(Member(name=name, weight=1 / count, copy_of=copies[name]) for name in names)
    done = Judged(
        candidate=Candidate(
            name=ENSEMBLE, kind="ensemble", validation=judge.value(outputs[count - 1]),
            noise=judge.noise(outputs[count - 1], judged), seconds=work.clock.spent_s - began,
            sample=f"judged on {len(samples.parts.validation):,} validation cases",
            parameters=parameters(able, members), members=members, note=f"averages {spoken_members(members)}",
        ),
        outputs=outputs[count - 1],
    )  # fmt: skip
    keep(work.folder.rungs, done)
    told = f"{spoken(judge.metric)} {done.candidate.validation:.4g} on validation"
    work.say(f"{ENSEMBLE}: {told}, the average of {spoken_members(members)}")
    return done


def _joining(models: Sequence[MaskModel], judge: MaskJudge) -> list[Outputs]:
    """The metric of each class of each validation case, by how many of the models are averaged: the first, two, ..."""
    samples = judge.samples
    found: list[list[Outputs]] = [[] for _ in models]
    for row in map(int, samples.parts.validation):
        image, spacing = samples.store.images[row], samples.case(row).geometry.spacing
        said = [model.logits(image, spacing) for model in models]
        for size, rows in enumerate(found, start=1):
            rows.append(judge.row(row, labels_on_own_grid(mean_logits(said[:size], [1 / size] * size), samples, row)))
    return [np.stack(rows) for rows in found]


def _alone(one: Judged, plan: Plan, samples: MaskSamples, machine: Engine, work: Work) -> MaskModel:
    name = one.candidate.name
    return mask_model(name, spec_of(name, plan, samples), plan, samples, machine, work)


def mask_model(name: str, spec: ModelSpec, plan: Plan, samples: MaskSamples, machine: Engine, work: Work) -> MaskModel:
    """The model of a finished network, or of an average of several, on its device."""
    if spec.members:
        models = [mask_model(one.name, of_member(spec, one), plan, samples, machine, work) for one in spec.members]
        return MaskModel(spec, averaging(spec, models), machine.device)
    assert spec.network is not None
    net = build_network(
        spec.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation,
        seed=plan.seed, name=name, masks=True, read_weights=False,
    )  # fmt: skip
    net.load_state_dict(candidates.weights(work.folder.rungs, name))
    return MaskModel(spec, net.to(machine.device).eval(), machine.device)
