"""The end of a run: the winner is calibrated, looks at the test part once, explains itself, and is reported."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import nn

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.build.network import build_network
from fieldcraft.data.dataset import Part
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import read_plan, to_toml
from fieldcraft.prediction.bootstrap import intervals, share
from fieldcraft.prediction.calibration import apply, fit_temperature, reliability
from fieldcraft.prediction.importance import permutation_importance
from fieldcraft.prediction.interval import covered, half_widths, noise
from fieldcraft.prediction.metrics import Array
from fieldcraft.prediction.model import Model, baseline_outputs, save_model
from fieldcraft.prediction.spec import ImageSpec, ModelSpec, TableSpec
from fieldcraft.prediction.unsure import Threshold, choose_threshold, confidence, right
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import write_json, write_whole
from fieldcraft.records.results import Calibration, Estimate, Importance, Interval, Results, Sure, Test
from fieldcraft.report.run_report import write_report
from fieldcraft.train.engine import engine
from fieldcraft.train.journal import BackedOff, Climbed, Cooled, Noted, SmallerMicro
from fieldcraft.train.memory import peak_mib
from fieldcraft.verbs import candidates, pictures
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.ladder import carried_out, network_outputs
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.samples import Samples, full_scale
from fieldcraft.verbs.verdict import Between, verdict
from fieldcraft.verbs.work import Work

EXPLAINING = 0.25  # of the time that is left, for permutation importance
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
    test = _look(winner, model, plan, samples, work, command) if len(samples.parts.test) else None
    importance, similarity = _explain(winner, model, plan, judge, samples, work)
    work.tick("predictions")
    write_whole(work.folder.repeat, to_toml(carried_out(plan, judged, work), read_plan(work.folder.plan).decisions))
    every = tuple(one.candidate for one in judged)
    results = Results(
        metric=judge.metric,
        higher_is_better=judge.higher_is_better,
        winner=winner.candidate.name,
        verdict=verdict(winner.candidate, judge.metric, between(judged, winner, judge), test, len(samples.parts.test)),
        climb=(*_climb(work), *passed_over(judged, winner, judge)),
        candidates=every,
        test=test,
        importance=importance,
        saliency_similarity=similarity,
        seconds=work.seconds(),
        peak_memory_mib=peak_mib(),
        notes=_notes(work),
    )
    write_json(work.folder.results, "results", results)
    write_report(work.folder)
    work.tick("report")
    return results


def passed_over(judged: list[Judged], winner: Judged, judge: Judge) -> tuple[str, ...]:
    """Why a candidate with a better metric than the winner's is not returned; nothing when there is none."""
    sign = 1 if judge.higher_is_better else -1
    top = max(judged, key=lambda one: sign * one.candidate.validation)
    if sign * top.candidate.validation <= sign * winner.candidate.validation:
        return ()
    name, value = top.candidate.name, top.candidate.validation
    words = judge.compare(top.outputs, winner.outputs).words
    return (f"{name} reached {judge.metric} {value:.4g}, yet {winner.candidate.name} is returned: {words}",)


def between(judged: list[Judged], winner: Judged, judge: Judge) -> Between | None:
    """The winner against the best of the other kind; None when there is no other kind."""
    others = [one for one in judged if one.candidate.kind != winner.candidate.kind]
    if not others:
        return None
    other = judge.best(others)
    net, plain = (winner, other) if winner.candidate.kind == "rung" else (other, winner)
    return Between(net.candidate, plain.candidate, judge.compare(net.outputs, plain.outputs))


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
            threshold=_threshold(apply(winner.outputs, temperature, task), truth, plan).value,
        )
    if winner.candidate.kind == "baseline":
        fitted = candidates.baseline(rungs, name)
        save_model(work.folder, spec, baseline=fitted, encoder=samples.encoder)
        return Model(spec, fitted, samples.encoder)
    rung = next(one for one in plan.ladder.rungs if one.name == name)
    spec = replace(spec, network=rung.network, whiten=plan.initialisation.whiten)
    weights = candidates.weights(rungs, name)
    save_model(work.folder, spec, weights=weights, encoder=samples.encoder)
    net = build_network(
        rung.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation,
        seed=plan.seed, name=name,
    )  # fmt: skip
    net.load_state_dict(weights)
    return Model(spec, net.eval(), samples.encoder)


def _input_spec(samples: Samples) -> ImageSpec | TableSpec:
    if samples.pixels is None:
        return TableSpec(width=samples.shape[0])
    channels, height, width = samples.shape
    return ImageSpec(
        height=height, width=width, channels=channels, depth_bits=DEPTHS[samples.pixels.dtype.itemsize],
        mean=samples.mean, std=samples.std, full_scale=full_scale(samples.pixels),
    )  # fmt: skip


def _threshold(probabilities: Array, truth: npt.NDArray[np.generic], plan: Plan) -> Threshold:
    return choose_threshold(probabilities, truth, plan.prediction.sure_accuracy)


def outputs_of(model: Model, plan: Plan, samples: Samples, part: Part) -> Array:
    """What a model says about a part, as `Judged.outputs` has it."""
    if isinstance(model.predictor, Fitted):
        rows = samples.parts.rows(part)
        return baseline_outputs(model.predictor.scores(samples.flat(rows)), plan.task.kind)
    machine = engine(plan.execution)
    batches = samples.batches(part, plan, machine.device, augment=False)
    found = network_outputs(machine.place(model.predictor), batches, samples, machine)
    model.predictor.cpu()  # a model is asked with tensors of the CPU
    return found


def _look(winner: Judged, model: Model, plan: Plan, samples: Samples, work: Work, command: tuple[str, ...]) -> Test:
    """Look at the test part, once: a run that is resumed after its look does not look again."""
    ledger = Ledger(work.folder.ledger)
    seen = candidates.folder(work.folder.rungs, winner.candidate.name) / "test.npy"
    if seen.exists():
        number, found = ledger.looks(), np.load(seen)
    else:
        number = ledger.look("the winner's result", command)
        found = outputs_of(model, plan, samples, "test")
        candidates.write_array(seen, found)
    test, frames = examine(winner.outputs, found, model.spec, plan, samples, number)
    write_whole(work.folder.predictions, pd.concat(frames).to_parquet(index=False))
    if samples.pixels is not None:
        arrays = pictures.shown_samples(samples) | pictures.mistakes(samples, _worst(found, model.spec, samples))
        pictures.write(work.folder.thumbnails, arrays)
    return test


def examine(
    validation: Array, found: Array, spec: ModelSpec, plan: Plan, samples: Samples, number: int
) -> tuple[Test, list[pd.DataFrame]]:
    """Judge outputs on the test part: metrics, calibration, the unsure flag; and tables of predictions."""
    task, truth, groups = spec.task, samples.truth("test"), samples.groups("test")
    scores = apply(found, spec.temperature, task)
    sigma = np.array(spec.sigma) if task == "regression" else None
    metrics = intervals(task, truth, scores, groups, sigma, seed=plan.seed)
    frames = [
        predictions_frame("validation", apply(validation, spec.temperature, task), spec, samples),
        predictions_frame("test", scores, spec, samples),
    ]
    if task == "regression":
        inside = covered(truth.astype(np.float64).reshape(len(truth), -1), scores, np.array(spec.half_width))
        coverage = share(inside.mean(axis=1), groups, seed=plan.seed)
        band = Interval(
            wanted=plan.prediction.interval, half_width=spec.half_width, sigma=spec.sigma, coverage=coverage
        )
        return Test(look=number, metrics=metrics, interval=band), frames
    confusion = None
    if task == "single-label":
        counts = np.zeros((len(spec.names),) * 2, dtype=np.int64)
        np.add.at(counts, (truth.astype(np.int64), scores.argmax(axis=1)), 1)
        confusion = tuple(tuple(map(int, row)) for row in counts)
    before = reliability(apply(found, 1.0, task), truth)
    calibration = Calibration(temperature=spec.temperature, before=before, after=reliability(scores, truth))
    sure = _sure(apply(validation, spec.temperature, task), scores, plan, samples)
    return Test(look=number, metrics=metrics, confusion=confusion, calibration=calibration, sure=sure), frames


def _sure(validation: Array, scores: Array, plan: Plan, samples: Samples) -> Sure:
    chosen = _threshold(validation, samples.truth("validation"), plan)
    truth, groups = samples.truth("test"), samples.groups("test")
    sure = confidence(scores, truth.ndim > 1) >= chosen.value
    hits = right(scores, truth)
    accuracy = (
        share(hits[sure].astype(np.float64), None if groups is None else groups[sure], seed=plan.seed)
        if sure.any()
        else Estimate(value=0.0, low=0.0, high=1.0, n=0)
    )
    return Sure(
        wanted=plan.prediction.sure_accuracy,
        threshold=chosen.value,
        reached=chosen.reached,
        validation_accuracy=chosen.accuracy,
        validation_coverage=chosen.coverage,
        accuracy=accuracy,
        coverage=share(sure.astype(np.float64), groups, seed=plan.seed),
    )


def predictions_frame(part: Part, scores: Array, spec: ModelSpec, samples: Samples) -> pd.DataFrame:
    """Predictions of a part beside the truth."""
    truth = samples.truth(part)
    names = samples.dataset.targets.names
    frame = Model(spec, nn.Identity(), None).frame(scores)
    if spec.task == "single-label":
        told = {"truth": np.array(names, dtype=object)[truth.astype(np.int64)]}
    elif len(names) == 1 and spec.task == "regression":
        told = {"truth": truth.reshape(-1)}
    else:
        told = {f"truth:{name}": truth[:, index] for index, name in enumerate(names)}
    groups = samples.groups(part)
    grouped = {} if groups is None else {"group": groups}
    head = pd.DataFrame({"id": samples.ids(part), "part": part, **grouped, **told})
    return pd.concat([head, frame], axis=1)


def _worst(found: Array, spec: ModelSpec, samples: Samples) -> npt.NDArray[np.int64]:
    """Rows of the test samples that the model got wrong, the most confident first."""
    truth, rows = samples.truth("test"), samples.parts.test
    scores = apply(found, spec.temperature, spec.task)
    if spec.task == "regression":
        errors = np.abs(truth.astype(np.float64).reshape(len(truth), -1) - scores) / np.maximum(
            np.array(samples.target_std), 1e-12
        )
        return rows[np.argsort(-errors.max(axis=1), kind="stable")]
    wrong = ~right(scores, truth)
    if spec.task == "single-label":
        loss = -np.log(np.clip(scores[np.arange(len(truth)), truth.astype(np.int64)], 1e-12, None))
    else:
        loss = -np.log(np.clip(np.where(truth == 1, scores, 1 - scores), 1e-12, None)).max(axis=1)
    order = np.argsort(-loss, kind="stable")
    return rows[order[wrong[order]]]


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
    if isinstance(model.predictor, Fitted) or plan.task.kind == "regression" or left_s < 2.0:
        return (), None
    maps, similarity = pictures.saliency_maps(model.predictor, samples)
    shown = (
        dict(np.load(work.folder.thumbnails)) if work.folder.thumbnails.exists() else pictures.shown_samples(samples)
    )
    pictures.write(work.folder.thumbnails, shown | maps)
    return (), similarity


def _climb(work: Work) -> tuple[str, ...]:
    return tuple(f"{event.rung}: {event.because}" for event in work.journal.read() if isinstance(event, Climbed))


def _notes(work: Work) -> tuple[str, ...]:
    notes = []
    for event in work.journal.read():
        match event:
            case Noted():
                notes.append(event.text)
            case Cooled() | SmallerMicro():
                notes.append(f"{event.rung}: {event.because}")
            case BackedOff():
                shown = ", ".join(event.samples[:5]) + (" ..." if len(event.samples) > 5 else "")
                notes.append(
                    f"{event.rung}, step {event.step}: {event.because}; went back to step {event.back_to} with "
                    f"{event.lr_scale:g} of the rate. Samples of that step: {shown}"
                )
            case _:
                pass
    return tuple(dict.fromkeys(notes))  # a run that goes on backs off again, in the same way
