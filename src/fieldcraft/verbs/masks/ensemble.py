"""The end of a ladder of masks: networks that are about equally good are averaged, and stay together if that gains."""

from collections.abc import Sequence

import numpy as np

from fieldcraft.build.network import build_network
from fieldcraft.plan.schema import ENSEMBLE, Plan
from fieldcraft.prediction.masks.model import MaskModel, mean_logits
from fieldcraft.prediction.saved import averaging
from fieldcraft.prediction.spec import ModelSpec, of_member
from fieldcraft.records.results import Candidate, Member
from fieldcraft.train.engine import Engine, engine
from fieldcraft.verbs import candidates
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.ensemble import firsts, kind_of, parameters, spoken_members
from fieldcraft.verbs.judge import Outputs
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.last_steps import spec_of
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.masks.time_after import fitting, warm_seconds
from fieldcraft.verbs.masks.whole import labels_on_own_grid
from fieldcraft.verbs.work import Work


def average_masks(judged: Sequence[Judged], plan: Plan, judge: MaskJudge, work: Work) -> Judged | str | None:
    """The average of networks whose kind is not worse than the best by more than noise, if it gains; else why not.

    Each has the same weight: nothing is fitted to the validation part, so a higher mean there is enough. Repetitions of
    a network are of one kind: one of them is always lucky, which speaks neither against the others (unless one fell
    below what its kind beats) nor against their average. As many take part, the best first, as can predict in the time
    that is left. None: there is nothing to average.
    """
    began = work.clock.spent_s
    networks = [one for one in judged if one.candidate.kind == "rung"]
    if len(networks) < 2:
        return None
    best = judge.best(firsts(judged))
    if best.candidate.kind != "rung":
        return f"no network is better than {best.candidate.name}"
    able = able_to_take_part(judged, judge)
    models = [_alone(one, plan, judge.samples, work) for one in able]
    count = min(len(able), _fitting(models[0], plan, judge, work))
    if count < 2:
        few = "nothing else is as good" if len(able) < 2 else "several could not predict in time"
        return f"{able[0].candidate.name} is alone: {few}"
    outputs = _asked(models[:count], judge, work)
    found = judge.compare(outputs, best.outputs)
    if found.gain <= 0:
        return f"{found.words}, against {best.candidate.name} alone"
    found_in = [one.candidate for one in able[:count]]
    members = tuple(Member(name=one.name, weight=1 / count, copy_of=one.copy_of) for one in found_in)
    return Judged(
        candidate=Candidate(
            name=ENSEMBLE, kind="ensemble", validation=judge.value(outputs), noise=judge.noise(outputs, judged),
            seconds=work.clock.spent_s - began,
            sample=f"judged on {len(judge.samples.parts.validation):,} validation cases",
            parameters=parameters(able, members), members=members, note=f"averages {spoken_members(members)}",
        ),
        outputs=outputs,
    )  # fmt: skip


def able_to_take_part(judged: Sequence[Judged], judge: MaskJudge) -> list[Judged]:
    """Networks of a kind that is as good as any, the best first; none that fell below what its kind beats."""
    networks = [one for one in judged if one.candidate.kind == "rung"]
    top = max(firsts(networks), key=_validation)
    kinds = {kind_of(one.candidate) for one in firsts(networks) if not judge.compare(top.outputs, one.outputs).better}
    beaten = max((_validation(one) for one in judged if kind_of(one.candidate) not in kinds), default=float("-inf"))
    alike = [one for one in networks if kind_of(one.candidate) in kinds]
    found = [one for one in alike if _validation(one) > beaten or not one.candidate.copy_of]
    return sorted(found, key=lambda one: -_validation(one))


def _validation(one: Judged) -> float:
    return one.candidate.validation


def _fitting(model: MaskModel, plan: Plan, judge: MaskJudge, work: Work) -> int:
    left_s = work.clock.left_s
    if left_s == float("inf"):
        return len(plan.ladder.rungs)
    first = int(judge.samples.parts.validation[0])
    return fitting(warm_seconds(lambda: _row([model], judge, first)), left_s, judge.samples)


def _asked(models: Sequence[MaskModel], judge: MaskJudge, work: Work) -> Outputs:
    """The metric of each class of each validation case, for the average of some models."""
    rows = []
    for row in map(int, judge.samples.parts.validation):
        work.check_stop()
        rows.append(_row(models, judge, row))
    return np.stack(rows)


def _row(models: Sequence[MaskModel], judge: MaskJudge, row: int) -> Outputs:
    samples = judge.samples
    image, spacing = samples.store.images[row], samples.case(row).geometry.spacing
    logits = mean_logits((model.logits(image, spacing) for model in models), [1 / len(models)] * len(models))
    return judge.row(row, labels_on_own_grid(logits, samples, row))


def _alone(one: Judged, plan: Plan, samples: MaskSamples, work: Work) -> MaskModel:
    name = one.candidate.name
    return mask_model(name, spec_of(name, plan, samples), plan, samples, engine(plan.execution), work)


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
