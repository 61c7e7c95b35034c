"""What measures of masks are called, in which unit, and which way is better."""

from dataclasses import dataclass, replace
from typing import get_args

from fieldcraft.records.masks import CaseMetric, MaskMetric
from fieldcraft.records.segmentation import CaseFacts, Unit
from fieldcraft.report.metrics import KNOWN, Metric
from fieldcraft.report.reading import Run

OF_CLASSES: tuple[MaskMetric, ...] = get_args(MaskMetric)
OF_CASES: tuple[CaseMetric, ...] = get_args(CaseMetric)


@dataclass(frozen=True)
class Measures:
    """Measures of masks whose lengths are in one unit."""

    unit: Unit

    def __getitem__(self, name: str) -> Metric:
        found = KNOWN[name.replace("_", "-")]
        if name == "accuracy":
            return replace(found, label="Voxel accuracy", meaning="share of voxels with the right class")
        return replace(found, label=f"{found.label}, {self.unit}") if name == "hd95_mm" else found


def class_words(name: str) -> str:
    """A class as people read it: those that are called by a number are said to be classes."""
    return f"class {name}" if name.isdigit() else name


def measures_of(run: Run) -> Measures:
    """Those of a run, in the unit of its cases."""
    facts = run.facts.data.inputs if run.facts is not None else None
    return Measures(facts.unit if isinstance(facts, CaseFacts) else "mm")
