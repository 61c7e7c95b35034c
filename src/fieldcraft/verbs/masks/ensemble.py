"""The end of a ladder of masks: the best network and its repetitions are averaged, and stay together if that gains."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fieldcraft.build.network import build_network
from fieldcraft.plan.schema import ENSEMBLE, Plan
from fieldcraft.prediction.masks.model import MaskModel
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
    """The average of networks that are about as good as each other, where it is better than the best of them.

    Those are the best network, its repetitions, and whatever is not worse than the worst of these; each has the same
    weight, so nothing is fitted to the validation part, and a higher mean there is enough.
    """
    began = work.clock.spent_s
    able = [one for one in judged if one.candidate.kind == "rung"]
    names = _equals(able, plan, judge)
    if len(names) < 2:
        return None
    best = judge.best(judged)
    members = tuple(Member(name=name, weight=1 / len(names)) for name in names)
    candidate = Candidate(
        name=ENSEMBLE, kind="ensemble", validation=0.0, noise=0.0, seconds=0.0,
        sample=f"judged on {len(judge.samples.parts.validation):,} validation cases",
        parameters=parameters(able, members), members=members, note=f"averages {spoken_members(members)}",
    )  # fmt: skip
    samples, machine = judge.samples, engine(plan.execution)
    model = mask_model(ENSEMBLE, spec_of(ENSEMBLE, plan, samples, members), plan, samples, machine, work)
    outputs = np.stack([_row(model, judge, int(row)) for row in samples.parts.validation])
    found = judge.compare(outputs, best.outputs)
    if found.gain <= 0:
        work.note(f"no average is returned: {found.words}, against {best.candidate.name} alone")
        return None
    done = Judged(
        candidate=replace(
            candidate, validation=judge.value(outputs), noise=judge.noise(outputs, judged),
            seconds=work.clock.spent_s - began,
        ),
        outputs=outputs,
    )  # fmt: skip
    keep(work.folder.rungs, done)
    told = f"{spoken(judge.metric)} {done.candidate.validation:.4g} on validation"
    work.say(f"{ENSEMBLE}: {told}, the average of {spoken_members(members)}")
    return done


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


def _equals(able: Sequence[Judged], plan: Plan, judge: MaskJudge) -> tuple[str, ...]:
    """Names of the best network, its repetitions, and those that are not worse than the worst of these."""
    if not able:
        return ()
    first = {rung.name: rung.copy_of or rung.name for rung in plan.ladder.rungs}
    best = first[judge.best(able).candidate.name]
    least = min(one.candidate.validation for one in able if first[one.candidate.name] == best)
    return tuple(one.candidate.name for one in able if one.candidate.validation >= least)


def _row(model: MaskModel, judge: MaskJudge, row: int) -> Outputs:
    samples = judge.samples
    logits = model.logits(samples.store.images[row], samples.case(row).geometry.spacing)
    return judge.row(row, labels_on_own_grid(logits, samples, row))
