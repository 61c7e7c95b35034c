"""A run: its folder, what it found, and the model that it returns."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from fieldcraft.errors import RunError
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import read_plan
from fieldcraft.prediction.masks.model import MaskModel, PredictedMask, load_mask_model
from fieldcraft.prediction.model import Model
from fieldcraft.prediction.saved import load_model
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import read_json
from fieldcraft.records.results import Results
from fieldcraft.train.run_folder import RunFolder


@dataclass(frozen=True)
class Run:
    """A finished run, read from its folder when asked for."""

    path: Path

    @property
    def folder(self) -> RunFolder:
        """Where each file stands."""
        return RunFolder(self.path)

    @cached_property
    def plan(self) -> Plan:
        """The plan that was followed; repeat.toml beside it holds what was carried out."""
        return read_plan(self.folder.plan).plan

    @cached_property
    def facts(self) -> Facts:
        """What was known before training."""
        return TypeAdapter(Facts).validate_python(read_json(self.folder.facts, "facts"))

    @cached_property
    def results(self) -> Results:
        """What was found."""
        return TypeAdapter(Results).validate_python(read_json(self.folder.results, "results"))

    @cached_property
    def model(self) -> Model:
        """The model that won. Raises: RunError for masks, whose model is `mask_model`."""
        return load_model(self.path)

    @cached_property
    def mask_model(self) -> MaskModel:
        """The model of masks that won. Raises: RunError for samples with one answer each."""
        return load_mask_model(self.path)

    def predict(self, x: Any) -> pd.DataFrame | PredictedMask | tuple[PredictedMask, ...]:
        """Predictions with calibrated confidence; see `Model.predict`, or `MaskModel.predict` for masks."""
        return self.mask_model.predict(x) if self.plan.task.kind == "segmentation" else self.model.predict(x)

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.folder.report


def existing(path: str | Path) -> Run:
    """The run in a folder. Raises: RunError when it is none."""
    run = Run(Path(path))
    if not run.folder.provenance.exists():
        raise RunError(f"{path} is no run folder: give the folder that `fieldcraft fit` wrote.")
    return run
