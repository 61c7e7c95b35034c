"""The last steps on masks: a temperature, a CRF, a filter of pieces; sought on validation, kept where it gains."""

from collections.abc import Callable
from dataclasses import replace

from fieldcraft.plan.masks import CrfIfBetter, Segmentation
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.masks.ask import Logits
from fieldcraft.prediction.masks.calibrated import Voxels, calibrate_voxels, drawn_voxels
from fieldcraft.prediction.masks.components import fit_components
from fieldcraft.prediction.masks.crf_search import Predicted, fit_crf
from fieldcraft.prediction.masks.model import MaskModel
from fieldcraft.prediction.spec import CaseSpec, ModelSpec
from fieldcraft.records.masks import Refinement, ScoreSettings
from fieldcraft.records.results import Member
from fieldcraft.verbs.ensemble import member_specs
from fieldcraft.verbs.masks.samples import MaskSamples

MOST_REFINED = 16
"""Validation cases that refinements are sought on."""
MOST_VALUES = 200_000_000
"""Numbers of logits that are held at once for that."""
Said = tuple[int, Logits]
"""A validation case, and what a model says of it."""
LEAST_LEFT_S = 5.0
"""With less time left nothing is refined."""


def spec_of(name: str, plan: Plan, samples: MaskSamples, members: tuple[Member, ...] = ()) -> ModelSpec:
    """The description of a candidate's model: networks of the ladder, or a baseline; nothing is refined yet."""
    assert isinstance(plan.task, Segmentation)
    table, scaling = samples.cases.table, samples.of_set if samples.sample.normalise == "set" else None
    spec = CaseSpec(
        sample=samples.sample,
        values=table.values,
        void=table.void,
        colours=table.colours,
        masks=plan.task.masks,
        baseline="mean-shape" if name == "mean-shape" else "voxel-boosting" if name == "voxel-boosting" else "none",
    )
    if scaling is not None:
        spec = replace(spec, low=scaling.low, high=scaling.high, mean=scaling.mean, std=scaling.std)
    network = next((rung.network for rung in plan.ladder.rungs if rung.name == name), None)
    return ModelSpec(
        task="segmentation", names=samples.dataset.targets.names, input=spec, network=network,
        members=member_specs(members, plan),
    )  # fmt: skip


def validation_logits(model: MaskModel, samples: MaskSamples) -> list[Said]:
    """Of as many validation cases as last steps are chosen on, and as memory holds."""
    rows = [int(row) for row in samples.parts.validation][:: -(-len(samples.parts.validation) // MOST_REFINED)]
    size = samples.outputs * max(samples.case(row).geometry.voxels for row in rows)
    rows = rows[: max(1, MOST_VALUES // size)]
    return [(row, model.logits(samples.store.images[row], samples.case(row).geometry.spacing)) for row in rows]


def refined(
    model: MaskModel, said: list[Said], plan: Plan, samples: MaskSamples, left_s: Callable[[], float]
) -> tuple[ModelSpec, tuple[Refinement, ...], Voxels]:
    """The model's description with a temperature and with what validation keeps; and voxels of validation.

    `said`: of validation cases. `left_s`: seconds that there is still time for.
    """
    assert isinstance(plan.task, Segmentation)
    voxels = drawn_voxels(((logits, samples.truth(row)) for row, logits in said), len(said), seed=plan.seed)
    spec, refinements = model.spec, []
    if plan.prediction.calibrate:
        spec = replace(spec, temperature=calibrate_voxels(voxels, voxels).temperature)
    settings, masks = settings_of(plan, samples), plan.task.masks
    if isinstance(masks.crf, CrfIfBetter) and left_s() > LEAST_LEFT_S:
        crf, refinement = fit_crf([_case(samples, row, logits / spec.temperature) for row, logits in said], settings)
        spec = replace(spec, input=replace(model.cases, crf=() if crf is None else (crf,)))
        refinements.append(refinement)
    if masks.components == "filter-if-better" and left_s() > LEAST_LEFT_S:
        warm = replace(model, spec=spec)
        pairs = [
            samples.pair(
                row,
                warm.finished(logits, samples.store.images[row], samples.case(row).geometry.spacing).mask,
            )
            for row, logits in said
        ]
        rules, told = fit_components(pairs, samples.outputs, settings, plan.seed, names=spec.names)
        assert isinstance(spec.input, CaseSpec)
        spec = replace(spec, input=replace(spec.input, components=rules))
        refinements += told
    return spec, tuple(refinements), voxels


def _case(samples: MaskSamples, row: int, logits: Logits) -> Predicted:
    return Predicted(
        name=samples.dataset.ids[row],
        image=samples.store.image(row),
        logits=logits,
        truth=samples.truth(row),
        spacing=samples.case(row).geometry.spacing,
        group=samples.group(row),
    )


def settings_of(plan: Plan, samples: MaskSamples) -> ScoreSettings:
    """What measures are taken with."""
    assert isinstance(plan.task, Segmentation)
    return ScoreSettings(membrane=plan.task.membrane, unit=samples.case(0).geometry.unit)
