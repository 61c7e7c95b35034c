"""The end of a segmentation: calibrated and refined on validation, a look at the test part, the report."""

from dataclasses import replace

import numpy as np
from pydantic import TypeAdapter

from fieldcraft.plan.masks import Segmentation
from fieldcraft.plan.schema import Plan, UNet
from fieldcraft.plan.toml import read_plan, to_toml
from fieldcraft.prediction.masks.calibrated import Voxels, calibrate_voxels, drawn_voxels
from fieldcraft.prediction.masks.depths import LAYERS, error_depths
from fieldcraft.prediction.masks.model import MaskModel
from fieldcraft.prediction.masks.pair import VOID
from fieldcraft.prediction.masks.rand import Membranes, best_threshold
from fieldcraft.prediction.masks.score import score_case
from fieldcraft.prediction.masks.summary import summarise
from fieldcraft.prediction.saved import save_model, weights_together
from fieldcraft.prediction.spec import ModelSpec
from fieldcraft.records.files import read_json, write_json, write_whole
from fieldcraft.records.mask_results import MaskResults, mask_metrics
from fieldcraft.records.masks import CaseScores, ErrorDepths, Refinement
from fieldcraft.records.results import Results, Test
from fieldcraft.report.metrics import spoken
from fieldcraft.report.metrics_log import json_lines, read_log
from fieldcraft.report.run_report import write_report
from fieldcraft.report.training_record import training_records
from fieldcraft.tips.masks import field
from fieldcraft.tips.symptoms import diagnose
from fieldcraft.train.engine import Engine, engine
from fieldcraft.train.memory import peak_mib
from fieldcraft.verbs import candidates, pictures
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.endings import between, climbed, noted, passed_over
from fieldcraft.verbs.ladder import carried_out
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.masks.baseline import null_model
from fieldcraft.verbs.masks.ensemble import mask_model
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.largest import Largest, arrays_of_largest, largest_of
from fieldcraft.verbs.masks.last_steps import Said, refined, settings_of, spec_of, validation_logits
from fieldcraft.verbs.masks.pictures import Shown, arrays_of, shown_slices, worst
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.verdict import verdict
from fieldcraft.verbs.work import Work

DIGITS = 3
"""Of values in the verdict: cases are few."""
NULLS = {
    "mean-shape": "the mean shape, which looks at no image,",
    "voxel-boosting": "boosting of filtered voxels",
}
"""Baselines in words."""


def keep_best_masks(judged: list[Judged], plan: Plan, samples: MaskSamples, work: Work) -> None:
    """Save the model of the winner so far; it is calibrated and refined at the end."""
    winner = MaskJudge(plan=plan, samples=samples).best(judged)
    _save(winner, plan, samples, spec_of(winner.candidate.name, plan, samples, winner.candidate.members), work)


def finish_masks(
    judged: list[Judged], plan: Plan, samples: MaskSamples, work: Work, command: tuple[str, ...]
) -> Results:
    """Everything after the ladder; each file is written whole, results.json and the report last."""
    judge = MaskJudge(plan=plan, samples=samples)
    winner = judge.best(judged)
    machine = engine(plan.execution)
    spec = spec_of(winner.candidate.name, plan, samples, winner.candidate.members)
    model = _model(winner, plan, samples, spec, machine, work)
    said = validation_logits(model, samples)
    spec, refinements, voxels = refined(model, said, plan, samples, left_s=lambda: work.clock.left_s)
    _save(winner, plan, samples, spec, work)
    work.tick("refinement")
    model = replace(model, spec=spec)
    threshold = _membrane_threshold(model, said, plan, samples)
    found = _look(model, voxels, refinements, threshold, plan, samples, work, command)
    work.tick("predictions")
    write_whole(work.folder.repeat, to_toml(carried_out(plan, judged, work), read_plan(work.folder.plan).decisions))
    test = Test(look=Ledger(work.folder.ledger).looks(), metrics=mask_metrics(found))
    tested = len(samples.parts.test)
    results = Results(
        metric=judge.metric,
        higher_is_better=True,
        winner=winner.candidate.name,
        verdict=(
            *verdict(winner.candidate, judge.metric, between(judged, winner, judge), test, tested, DIGITS),
            *_baselines(judged, judge),
            *_within(found),
        ),
        climb=(*climbed(work), *passed_over(judged, winner, judge)),
        candidates=tuple(one.candidate for one in judged),
        test=test,
        seconds=work.seconds(),
        peak_memory_mib=peak_mib(),
        notes=(
            *noted(work),
            *(f"{one.name}: {'kept' if one.kept else 'not kept'}; {one.because}" for one in refinements),
        ),
    )
    records = training_records(read_log(work.folder.metrics), results, tuple(json_lines(work.folder.journal)))
    results = replace(results, findings=diagnose(records))
    write_json(work.folder.results, "results", results)
    write_report(work.folder)
    work.tick("report")
    return results


def _model(winner: Judged, plan: Plan, samples: MaskSamples, spec: ModelSpec, machine: Engine, work: Work) -> MaskModel:
    if winner.candidate.kind == "baseline":
        return MaskModel(spec, null_model(winner.candidate.name, work))
    return mask_model(winner.candidate.name, spec, plan, samples, machine, work)


def _save(winner: Judged, plan: Plan, samples: MaskSamples, spec: ModelSpec, work: Work) -> None:
    rungs, name = work.folder.rungs, winner.candidate.name
    if name == "voxel-boosting":
        save_model(work.folder, spec, baseline=candidates.baseline(rungs, name))
    elif spec.members:
        each = {one.name: candidates.weights(rungs, one.name) for one in spec.members}
        save_model(work.folder, spec, weights=weights_together(each))
    else:
        save_model(work.folder, spec, weights=candidates.weights(rungs, name))


def _membrane_threshold(model: MaskModel, said: list[Said], plan: Plan, samples: MaskSamples) -> float | None:
    """With the best mean Rand score on validation; None where no class parts cells."""
    assert isinstance(plan.task, Segmentation)
    membrane = plan.task.membrane
    if membrane is None or samples.spatial == 1:
        return None
    cases = []
    for row, logits in said:
        found = model.finished(logits, samples.store.images[row], samples.case(row).geometry.spacing)
        true_cells, _ = samples.pair(row, found.mask).cells(membrane)
        cases.append(Membranes(true_cells, found.probabilities[membrane].astype(np.float64)))
    return best_threshold(cases)


def _look(
    model: MaskModel,
    voxels: Voxels,
    refinements: tuple[Refinement, ...],
    threshold: float | None,
    plan: Plan,
    samples: MaskSamples,
    work: Work,
    command: tuple[str, ...],
) -> MaskResults:
    """Look at the test part, once: a run that is resumed after its look does not look again."""
    if work.folder.masks.exists():
        return TypeAdapter(MaskResults).validate_python(read_json(work.folder.masks, "masks"))
    Ledger(work.folder.ledger).look("the winner's result", command)
    settings = settings_of(plan, samples)
    scored: list[CaseScores] = []
    drawn: list[Voxels] = []
    shown: list[tuple[Shown, ...]] = []
    largest: Largest | None = None
    step_mm = max(max(samples.case(row).geometry.spacing) for row in map(int, samples.parts.test))
    depths, voxels_told = np.zeros(LAYERS, np.int64), 0
    each = max(1, 200_000 // max(1, len(samples.parts.test)))
    for row in map(int, samples.parts.test):
        image, geometry = samples.store.images[row], samples.case(row).geometry
        logits = model.logits(image, geometry.spacing)
        predicted = model.finished(logits, image, geometry.spacing)
        pair = samples.pair(row, predicted.mask)
        cells = None
        if threshold is not None and settings.membrane is not None:
            cells = predicted.probabilities[settings.membrane] < threshold
        scored.append(score_case(pair, samples.dataset.targets.names, settings, cells))
        some = drawn_voxels([(logits, samples.truth(row))], 1, most=each, seed=plan.seed)
        drawn.append(some)
        depths += error_depths(pair, step_mm)
        voxels_told += int((pair.truth != VOID).sum())
        score = _mean_dice(scored[-1])
        shown = worst([*shown, shown_slices(image, pair.truth, predicted, geometry, name=pair.name, score=score)])
        largest = largest_of(image, pair.truth, geometry, name=pair.name, than=largest)
    measured = Voxels(np.concatenate([one.logits for one in drawn]), np.concatenate([one.truth for one in drawn]))
    network = next((one.network for one in model.spec.members), model.spec.network)
    results = MaskResults(
        names=samples.dataset.targets.names,
        summary=summarise(scored, settings, seed=plan.seed),
        cases=tuple(scored),
        calibration=calibrate_voxels(voxels, measured) if plan.prediction.calibrate else None,
        refinements=refinements,
        membrane_threshold=threshold,
        patch=samples.sample.patch,
        field=field(network) if isinstance(network, UNet) else (),
        spacing=samples.sample.spacing,
        depths=ErrorDepths(step_mm=step_mm, wrong=tuple(depths.tolist()), voxels=voxels_told),
        within_volume=samples.cases.within_volume,
    )
    pictures.write(work.folder.thumbnails, arrays_of(shown) | arrays_of_largest(largest))
    write_json(work.folder.masks, "masks", results)
    return results


def _mean_dice(case: CaseScores) -> float:
    known = [one.dice for one in case.classes if one.dice is not None]
    return float(np.mean(known)) if known else 1.0


def _baselines(judged: list[Judged], judge: MaskJudge) -> tuple[str, ...]:
    """What needs no network, in a sentence."""
    plain = [one.candidate for one in judged if one.candidate.kind == "baseline"]
    if not plain:
        return ()
    told = " and ".join(f"{NULLS[one.name]} reaches {one.validation:.{DIGITS}g}" for one in plain)
    return (f"Without a network, {told} in {spoken(judge.metric)} on validation.",)


def _within(found: MaskResults) -> tuple[str, ...]:
    if not found.within_volume:
        return ()
    return ("Training and test are slices of one volume: this says nothing of another volume.",)
