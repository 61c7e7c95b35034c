"""The end of a run: the winner is calibrated, looks at the test part once, explains itself, and is reported."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.plan.toml import read_plan, to_toml
from fieldcraft.prediction.calibration import apply, fit_temperature
from fieldcraft.prediction.ensemble import Ensemble
from fieldcraft.prediction.importance import permutation_importance
from fieldcraft.prediction.interval import half_widths, noise
from fieldcraft.prediction.model import Model
from fieldcraft.prediction.saved import assembled, save_model, weights_together
from fieldcraft.prediction.spec import CaseSpec, ImageSpec, ModelSpec, TableSpec
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import write_json, write_whole
from fieldcraft.records.results import Importance, Results
from fieldcraft.report.metrics_log import json_lines, read_log
from fieldcraft.report.run_report import write_report
from fieldcraft.report.training_record import training_records
from fieldcraft.tips.symptoms import diagnose
from fieldcraft.train.memory import peak_mib
from fieldcraft.verbs import candidates, pictures
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.endings import between, climbed, noted, passed_over
from fieldcraft.verbs.ensemble import member_specs
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.ladder import carried_out
from fieldcraft.verbs.leaks import best_columns
from fieldcraft.verbs.look import look, threshold_of
from fieldcraft.verbs.samples import Samples
from fieldcraft.verbs.verdict import verdict
from fieldcraft.verbs.work import Work

EXPLAINING = 0.25  # of the time that is left, for permutation importance
LEAKS = 0.05  # of the same, for a look at single columns
DEPTHS = {1: 8, 2: 16, 4: 32}


def keep_best(judged: list[Judged], plan: Plan, samples: Samples, work: Work) -> None:
    """Save the model of the winner so far, calibrated."""
    winner = Judge(plan=plan, samples=samples).best(judged)
    _save(winner, plan, samples, work)


def finish(
    judged: list[Judged], plan: Plan, facts: Facts, samples: Samples, work: Work, command: tuple[str, ...]
) -> Results:
    """Everything after the ladder; each file is written whole, results.json and the report last."""
    judge = Judge(plan=plan, samples=samples)
    winner = judge.best(judged)
    model = _save(winner, plan, samples, work)
    test = look(winner, model, plan, samples, work, command) if len(samples.parts.test) else None
    importance, similarity = _explain(winner, model, plan, judge, samples, work)
    work.tick("predictions")
    write_whole(work.folder.repeat, to_toml(carried_out(plan, judged, work), read_plan(work.folder.plan).decisions))
    every = tuple(one.candidate for one in judged)
    results = Results(
        metric=judge.metric,
        higher_is_better=judge.higher_is_better,
        winner=winner.candidate.name,
        verdict=verdict(winner.candidate, judge.metric, between(judged, winner, judge), test, len(samples.parts.test)),
        climb=(*climbed(work), *passed_over(judged, winner, judge)),
        candidates=every,
        test=test,
        importance=importance,
        saliency_similarity=similarity,
        seconds=work.seconds(),
        peak_memory_mib=peak_mib(),
        leaks=best_columns(samples, limit_s=LEAKS * work.clock.left_s),
        notes=noted(work),
    )
    records = training_records(read_log(work.folder.metrics), results, tuple(json_lines(work.folder.journal)))
    results = replace(results, findings=diagnose(records))
    write_json(work.folder.results, "results", results)
    write_report(work.folder)
    work.tick("report")
    return results


def _save(winner: Judged, plan: Plan, samples: Samples, work: Work) -> Model:
    """Calibrate a candidate on validation and save it as the run's model."""
    rungs, name, task = work.folder.rungs, winner.candidate.name, plan.task.kind
    truth = samples.truth("validation")
    spec = ModelSpec(task=task, names=samples.dataset.targets.names, input=_input_spec(samples))
    if task == "regression":
        values = truth.astype(np.float64).reshape(len(truth), -1)
        spec = replace(
            spec,
            half_width=tuple(map(float, half_widths(values, winner.outputs, plan.prediction.interval))),
            sigma=tuple(map(float, noise(values, winner.outputs))),
            target_mean=samples.target_mean,
            target_std=samples.target_std,
        )
    else:
        temperature = fit_temperature(winner.outputs, truth, task) if plan.prediction.calibrate else 1.0
        spec = replace(
            spec,
            temperature=temperature,
            threshold=threshold_of(apply(winner.outputs, temperature, task), truth, plan).value,
        )
    if winner.candidate.kind != "baseline":
        spec = replace(
            spec,
            input=_in_buckets(spec.input, plan),
            whiten=plan.initialisation.whiten,
            tta=plan.prediction.tta if plan.input.kind == "image" else (),
            network=next((rung.network for rung in plan.ladder.rungs if rung.name == name), None),
            members=member_specs(winner.candidate.members, plan),
        )
    weights, baselines = _parts(spec, name, rungs)
    save_model(
        work.folder, spec, weights=weights, baseline=baselines.get(name), encoder=samples.encoder,
        members={one.name: baselines[one.name] for one in spec.members if one.name in baselines},
    )  # fmt: skip
    return assembled(spec, weights or {}, baselines.__getitem__, samples.encoder, name)


def _parts(spec: ModelSpec, name: str, rungs: Path) -> tuple[dict[str, Tensor] | None, dict[str, Fitted]]:
    """What a candidate is made of: the weights of its networks, and its baselines by their names."""
    if not spec.members:
        if spec.network is None:
            return None, {name: candidates.baseline(rungs, name)}
        return candidates.weights(rungs, name), {}
    networks = {one.name: candidates.weights(rungs, one.name) for one in spec.members if one.network is not None}
    baselines = {one.name: candidates.baseline(rungs, one.name) for one in spec.members if one.network is None}
    return weights_together(networks) if networks else None, baselines


def _input_spec(samples: Samples) -> ImageSpec | TableSpec:
    if samples.pixels is None:
        return TableSpec(width=samples.shape[0])
    channels, height, width = samples.shape
    return ImageSpec(
        height=height, width=width, channels=channels, depth_bits=DEPTHS[samples.pixels.dtype.itemsize],
        mean=samples.mean, std=samples.std, full_scale=samples.full_scale,
    )  # fmt: skip


def _in_buckets(spec: ImageSpec | TableSpec | CaseSpec, plan: Plan) -> ImageSpec | TableSpec | CaseSpec:
    """Networks see images at the sizes that they were trained on; baselines at one."""
    if not isinstance(spec, ImageSpec) or not isinstance(plan.input, ImageInput):
        return spec
    return replace(spec, buckets=plan.input.buckets)


def _explain(
    winner: Judged, model: Model, plan: Plan, judge: Judge, samples: Samples, work: Work
) -> tuple[tuple[Importance, ...], float | None]:
    """What mattered: columns by permutation, pixels by saliency; as far as the time allows."""
    left_s = work.clock.left_s
    if samples.features is not None and samples.encoder is not None:
        rows = samples.parts.validation
        groups: dict[str, list[int]] = {}
        for column, source in enumerate(samples.encoder.sources):
            groups.setdefault(source, []).append(column)
        importance = permutation_importance(
            lambda features: judge.value(model.of_features(features)),
            samples.features[rows],
            tuple(groups.items()),
            higher_is_better=judge.higher_is_better,
            seed=plan.seed,
            limit_s=EXPLAINING * left_s,
        )
        return importance, None
    net = _heaviest_network(model)
    if net is None or left_s < 2.0:
        return (), None
    maps, similarity = pictures.saliency_maps(net, samples)
    shown = (
        dict(np.load(work.folder.thumbnails)) if work.folder.thumbnails.exists() else pictures.shown_samples(samples)
    )
    pictures.write(work.folder.thumbnails, shown | maps)
    return (), similarity


def _heaviest_network(model: Model) -> nn.Module | None:
    """The model's network; of an average, the one with the largest share; None where there is none."""
    if isinstance(model.predictor, Ensemble):
        found = map(_heaviest_network, model.predictor.models)
        return next((net for net in found if net is not None), None)
    return None if isinstance(model.predictor, Fitted) else model.predictor
