"""Everything that a report is made of, read from a run folder; what is missing or damaged is named, never fatal."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow
from pydantic import TypeAdapter, ValidationError

from fieldcraft.errors import FieldcraftError
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import read_plan
from fieldcraft.proof.document import read_proof
from fieldcraft.records.audit import Audit
from fieldcraft.records.decision import Decision
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import read_json
from fieldcraft.records.label_issues import LabelIssues
from fieldcraft.records.mask_results import MaskResults
from fieldcraft.records.proof import Proof
from fieldcraft.records.results import Candidate, Results
from fieldcraft.report.metrics_log import RungLog, json_lines, read_log
from fieldcraft.report.predictions_table import Predictions, read_predictions
from fieldcraft.train.run_folder import RunFolder

T = TypeVar("T")

DAMAGE = (FieldcraftError, ValidationError, OSError, ValueError, KeyError, zipfile.BadZipFile, pyarrow.ArrowException)
"""What reading a damaged file may raise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """The contents of a run folder; None or empty where a file is missing."""

    name: str
    plan: Plan | None = None
    decisions: tuple[Decision, ...] = ()
    plan_text: str = ""
    facts: Facts | None = None
    results: Results | None = None
    audit: Audit | None = None
    label_issues: LabelIssues | None = None
    masks: MaskResults | None = None
    proof: Proof | None = None
    """Of its tips, where it stands in the run's folder."""
    suspects: npt.NDArray[Any] | None = None
    """Pictures of the first of them."""
    log: tuple[RungLog, ...] = ()
    predictions: Predictions | None = None
    pixels: Mapping[str, npt.NDArray[Any]]
    """Arrays of `thumbnails.npz`."""
    provenance: Mapping[str, Any]
    looks: tuple[Mapping[str, Any], ...] = ()
    """Looks at the test part, first to last."""
    journal: tuple[Mapping[str, Any], ...] = ()
    damaged: tuple[str, ...] = ()
    """Files that are there but could not be read, with the reason."""

    repeatable: bool = False
    """Whether the plan as carried out was written."""

    @property
    def of_masks(self) -> bool:
        """Whether it is a run of segmentation."""
        return self.plan is not None and self.plan.task.kind == "segmentation"

    @property
    def winner(self) -> Candidate | None:
        """The candidate that the run returns."""
        if self.results is None:
            return None
        return next((each for each in self.results.candidates if each.name == self.results.winner), None)


def read_run(folder: RunFolder) -> Run:
    """Read what there is."""
    damaged: list[str] = []

    def tried(path: Path, read: Callable[[Path], T]) -> T | None:
        if not path.exists():
            return None
        try:
            return read(path)
        except DAMAGE as error:
            damaged.append(f"{path.name}: {_first_line(error)}")
            return None

    plan_file = tried(folder.plan, read_plan)
    return Run(
        name=folder.path.resolve().name,
        plan=plan_file.plan if plan_file else None,
        decisions=tuple(plan_file.decisions) if plan_file else (),
        plan_text=tried(folder.plan, lambda path: path.read_text(errors="replace")) or "",
        facts=tried(folder.facts, _facts),
        audit=tried(folder.audit, _audit),
        label_issues=tried(folder.label_issues, _label_issues),
        masks=tried(folder.masks, _masks),
        proof=tried(folder.proof, read_proof),
        suspects=(tried(folder.label_issue_pictures, _arrays) or {}).get("suspects"),
        results=tried(folder.results, _results),
        log=read_log(folder.metrics),
        predictions=tried(folder.predictions, read_predictions),
        pixels=tried(folder.thumbnails, _arrays) or {},
        provenance=tried(folder.provenance, lambda path: read_json(path, "provenance")) or {},
        looks=tuple(json_lines(folder.ledger)),
        journal=tuple(json_lines(folder.journal)),
        damaged=tuple(damaged),
        repeatable=folder.repeat.exists(),
    )


def _facts(path: Path) -> Facts:
    return TypeAdapter(Facts).validate_python(read_json(path, "facts"))


def _audit(path: Path) -> Audit:
    return TypeAdapter(Audit).validate_python(read_json(path, "audit"))


def _label_issues(path: Path) -> LabelIssues:
    return TypeAdapter(LabelIssues).validate_python(read_json(path, "label-issues"))


def _masks(path: Path) -> MaskResults:
    return TypeAdapter(MaskResults).validate_python(read_json(path, "masks"))


def _results(path: Path) -> Results:
    return TypeAdapter(Results).validate_python(read_json(path, "results"))


def _arrays(path: Path) -> Mapping[str, npt.NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
