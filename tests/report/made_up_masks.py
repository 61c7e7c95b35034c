"""Run folders of segmentation made up for the tests: masks made wrong on purpose, scored by the real measures."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tests.tips.known_masks import HIPPOCAMPUS, MEMBRANES
from tests.verbs.masks.made_masks import disc, plan

from fieldcraft.data.cases import Geometry
from fieldcraft.plan.toml import to_toml
from fieldcraft.prediction.masks.depths import error_depths
from fieldcraft.prediction.masks.model import PredictedMask
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.score import score_case
from fieldcraft.prediction.masks.summary import summarise
from fieldcraft.records.decision import Decision
from fieldcraft.records.files import write_json
from fieldcraft.records.mask_results import MaskResults, mask_metrics
from fieldcraft.records.masks import (
    Change,
    ErrorDepths,
    Refinement,
    ScoreSettings,
    VoxelCalibration,
)
from fieldcraft.records.results import Candidate, Estimate, Reliability, Results, Test
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs import pictures
from fieldcraft.verbs.masks.largest import arrays_of_largest, largest_of
from fieldcraft.verbs.masks.pictures import arrays_of, shown_slices

RELIABILITY = Reliability(confidence=(0.55, 0.75, 0.98), accuracy=(0.5, 0.7, 0.97), counts=(10, 30, 960), ece=0.012)


@dataclass(frozen=True, kw_only=True)
class AskedMasks:
    """Which run to make up."""

    shape: tuple[int, ...] = (14, 18, 12)
    names: tuple[str, ...] = ("background", "shell", "core")
    cases: int = 7
    one_stack: bool = False
    """Whether all cases are of one group, and slices of a volume that was trained on."""
    membrane: int | None = None
    prefix: str = "case"


def made_up_masks(path: Path, asked: AskedMasks | None = None) -> RunFolder:
    """A finished run of segmentation."""
    asked = asked or AskedMasks()
    folder = RunFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    flat = len(asked.shape) < 3
    folder.plan.write_text(
        to_toml(
            plan((8,) * len(asked.shape)),
            (Decision(tip="patch-size", outcome="applied", because="it fits", sets=("input.patch",)),),
        )
    )
    known = (MEMBRANES if flat else HIPPOCAMPUS).facts
    target = replace(known.data.target, names=asked.names, outputs=len(asked.names))
    write_json(folder.facts, "facts", replace(known, data=replace(known.data, target=target, grouped=asked.one_stack)))
    found = _masks(folder, asked)
    write_json(folder.masks, "masks", found)
    write_json(folder.results, "results", _results(found))
    line = {"schema": 1, "look": 1, "when": "2025-01-02T03:04:05+00:00", "command": "fieldcraft fit", "why": "test"}
    folder.ledger.write_text(json.dumps(line) + "\n")
    return folder


def _masks(folder: RunFolder, asked: AskedMasks) -> MaskResults:
    rng = np.random.default_rng(3)
    flat = len(asked.shape) < 3
    geometry = Geometry(
        shape=asked.shape, spacing=(1.0,) * len(asked.shape) if flat else (1.0, 1.0, 2.0),
        unit="px" if flat else "mm", orientation="" if flat else "RAS",
    )  # fmt: skip
    settings = ScoreSettings(membrane=asked.membrane, unit=geometry.unit)
    scored, shown, largest, depths = [], [], None, np.zeros(5, np.int64)
    for number in range(asked.cases):
        image, truth = disc(asked.shape, number)
        truth = np.minimum(truth, len(asked.names) - 1).astype(np.int16)
        moved = np.roll(truth, number % 3, axis=0)
        moved[rng.random(asked.shape) < 0.02] = 0
        shares = rng.dirichlet(np.ones(len(asked.names)), asked.shape)
        said = PredictedMask(mask=moved, probabilities=np.moveaxis(shares, -1, 0).astype(np.float32), names=asked.names)
        name = f"{asked.prefix}-{number}"
        group = "stack" if asked.one_stack else ""
        pair = MaskPair(name=name, truth=truth, predicted=moved, spacing=geometry.spacing, group=group)
        scored.append(score_case(pair, asked.names, settings))
        depths += error_depths(pair, max(geometry.spacing))
        score = float(np.mean([row.dice for row in scored[-1].classes]))
        shown.append(shown_slices(image[None], truth, said, geometry, name=name, score=score))
        largest = largest_of(image[None], truth, geometry, name=name, than=largest)
    pictures.write(folder.thumbnails, arrays_of(shown) | arrays_of_largest(largest))
    gain = None if asked.one_stack else Estimate(value=0.004, low=-0.002, high=0.01, n=5)
    crf = Refinement(
        name="dense CRF", kept=False, because="mean Dice +0.004", chosen="smoothing 0.5 over 1 mm", candidates=11,
        changes={
            "dice": Change(before=0.81, after=0.814, gain=gain), "hd95_mm": Change(before=3, after=2.9, gain=gain),
        },
    )  # fmt: skip
    return MaskResults(
        names=asked.names,
        summary=summarise(scored, settings),
        cases=tuple(scored),
        calibration=VoxelCalibration(
            temperature=1.2, fitted_voxels=1000, measured_voxels=4000, before=RELIABILITY, after=RELIABILITY,
            contested_before=RELIABILITY, contested_after=RELIABILITY,
        ),
        refinements=(crf,),
        membrane_threshold=0.35 if asked.membrane is not None else None,
        patch=(8,) * len(asked.shape),
        field=(9,) * len(asked.shape),
        depths=ErrorDepths(
            step_mm=max(geometry.spacing), wrong=tuple(depths.tolist()), voxels=asked.cases * math.prod(asked.shape)
        ),
        within_volume=asked.one_stack,
    )  # fmt: skip


def _results(found: MaskResults) -> Results:
    def one(name: str, value: float, noise: float) -> Candidate:
        return Candidate(
            name=name, kind="rung" if name == "small" else "baseline", validation=value, noise=noise, seconds=3.0,
            sample="all 4 training cases",
        )  # fmt: skip

    return Results(
        metric="dice",
        higher_is_better=True,
        winner="small",
        verdict=(
            "The network small wins.",
            "Without a network, the mean shape, which looks at no image, reaches 0.3 in Dice on validation.",
        ),
        climb=("small: the plan trains every rung",),
        candidates=(one("mean-shape", 0.3, 0.0), one("voxel-boosting", 0.61, 0.02), one("small", 0.84, 0.01)),
        test=Test(look=1, metrics=mask_metrics(found)),
        seconds={"start": 1.0, "small": 3.0},
        peak_memory_mib=700.0,
    )
