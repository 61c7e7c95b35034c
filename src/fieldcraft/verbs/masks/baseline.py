"""The nulls of segmentation: the mean shape, and boosted trees over filters of the image; no network in either."""

from collections.abc import Callable
from typing import Literal, assert_never

import numpy as np
from safetensors.numpy import load_file, save

from fieldcraft.baselines.fit import fit_baseline
from fieldcraft.baselines.fitted import Fitted
from fieldcraft.baselines.mean_shape import MeanShape, fit_mean_shape, grid_for
from fieldcraft.baselines.store import load as load_baseline
from fieldcraft.baselines.store import save as save_baseline
from fieldcraft.baselines.voxel_features import drawn, voxel_features
from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Baseline, Plan
from fieldcraft.prediction.masks.ask import Logits
from fieldcraft.prediction.masks.null import boosted_logits
from fieldcraft.records.files import write_whole
from fieldcraft.records.results import Candidate
from fieldcraft.report.metrics import spoken
from fieldcraft.tips.rough import A_FIFTH, BASELINES
from fieldcraft.verbs.candidates import Judged, folder, keep
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.masks.whole import labels_on_own_grid
from fieldcraft.verbs.work import Work

SHARES = {"mean-shape": 0.15, "voxel-boosting": 0.85}
"""Of the time for baselines."""
FITTING = 0.6
"""Of a baseline's time: the rest predicts validation."""
VOXELS = 60_000
"""That trees learn from, at most."""
Null = Literal["mean-shape", "voxel-boosting"]


def fit_null(name: Baseline, plan: Plan, judge: MaskJudge, judged: list[Judged], work: Work) -> Judged:
    """Fit a baseline and judge it on validation; its model and its record are on disk when this returns.

    Raises: PlanError for a baseline of samples with one answer each.
    """
    kind = _null(name)
    samples, began, budget_s = judge.samples, work.clock.spent_s, work.clock.budget_s
    limit_s = None
    if budget_s is not None:
        room = min(BASELINES["cases"], A_FIFTH - work.spent_on("facts", "measurements") / budget_s) * budget_s
        limit_s = max(1.0, room) * SHARES[kind]
    said, sample, note = _fitted(kind, plan, samples, limit_s, work)
    found = np.stack(
        [judge.row(row, labels_on_own_grid(said(row), samples, row)) for row in map(int, samples.parts.validation)]
    )
    done = Judged(
        candidate=Candidate(
            name=kind, kind="baseline", validation=judge.value(found), noise=judge.noise(found, judged),
            seconds=work.clock.spent_s - began, sample=sample, note=note,
        ),
        outputs=found,
    )  # fmt: skip
    keep(work.folder.rungs, done)
    work.tick("baselines")
    work.say(f"{kind}: {spoken(judge.metric)} {done.candidate.validation:.4g} on validation")
    return done


def null_model(name: str, work: Work) -> MeanShape | Fitted:
    """A finished baseline."""
    place = folder(work.folder.rungs, name)
    if name == "mean-shape":
        return MeanShape(load_file(place / "model.safetensors")["shares"])
    return load_baseline(place / "model.skops")


def _null(name: Baseline) -> Null:
    if name == "mean-shape" or name == "voxel-boosting":
        return name
    raise PlanError(
        f"the baseline {name} is for samples with one answer each: ladder.baselines of masks are mean-shape and "
        "voxel-boosting."
    )


def _fitted(
    kind: Null, plan: Plan, samples: MaskSamples, limit_s: float | None, work: Work
) -> tuple[Callable[[int], Logits], str, str]:
    """What it says of a case, what it was fitted on, and how."""
    train = [int(row) for row in samples.parts.train]
    place = folder(work.folder.rungs, kind)
    match kind:
        case "mean-shape":
            grid = grid_for([samples.case(row).geometry.shape for row in train])
            shape = fit_mean_shape((samples.truth(row) for row in train), samples.outputs, grid)
            write_whole(place / "model.safetensors", save({"shares": shape.shares}))
            return (
                lambda row: shape.logits(samples.case(row).geometry.shape),
                f"all {len(train):,} training masks",
                f"a grid of {'x'.join(map(str, grid))} stretched to each case",
            )
        case "voxel-boosting":
            trees, count = _trees(plan, samples, limit_s)
            save_baseline(trees, place / "model.skops")
            return (
                lambda row: boosted_logits(trees, samples.image(row), samples.scaling(row), samples.spacing(row)),
                f"{count:,} voxels of {len(train):,} training cases",
                trees.note,
            )
        case _:
            assert_never(kind)


def _trees(plan: Plan, samples: MaskSamples, limit_s: float | None) -> tuple[Fitted, int]:
    train = [int(row) for row in samples.parts.train]
    each = max(50, VOXELS // len(train))
    features, classes = [], []
    for row in train:
        volume = samples.volume(row)
        places = drawn(volume.mask, each, name=volume.name, seed=plan.seed)
        image = volume.scaling(np.array(volume.image, np.float32))
        of_voxels = voxel_features(image, samples.spacing(row))
        features.append(of_voxels.reshape(len(of_voxels), -1)[:, places].T)
        classes.append(np.asarray(volume.mask).reshape(-1)[places].astype(np.int64))
    table, truth = np.concatenate(features), np.concatenate(classes)
    fitted = fit_baseline(
        "boosting", table, truth, "single-label", samples.outputs,
        seconds=None if limit_s is None else FITTING * limit_s, threads=plan.execution.threads, seed=plan.seed,
    )  # fmt: skip
    return fitted, len(truth)
