"""Whether stated probabilities can be believed."""

from dataclasses import dataclass

from fieldcraft.records.results import Reliability
from fieldcraft.report.charts.reliability import reliability_chart
from fieldcraft.report.page import Absent, Figure
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number, percent


@dataclass(frozen=True)
class Calibrated:
    """Two diagrams."""

    intro: str
    figures: tuple[Figure, ...]


def calibration(run: Run) -> Calibrated | Absent | None:
    """Before and after one temperature; None for regression, whose intervals are shown instead."""
    if run.facts is not None and run.facts.data.target.task == "regression":
        return None
    test = run.results.test if run.results else None
    if test is None:
        return Absent("There are no test results to compare stated confidence with.")
    if test.calibration is None:
        return Absent("Probabilities were not calibrated in this run.")
    found = test.calibration
    direction = _direction(found.temperature)
    change = "fell" if found.after.ece < found.before.ece else "did not fall"
    intro = (
        f"A temperature of {number(found.temperature, 2)}, fitted on validation, {direction}. The expected calibration "
        f"error (ECE) on test {change}: {percent(found.before.ece)} before, {percent(found.after.ece)} after."
    )
    return Calibrated(intro, (_figure("Before", found.before), _figure("After", found.after)))


def _direction(temperature: float) -> str:
    if temperature > 1.02:
        return "makes the model's statements more modest"
    if temperature < 0.98:
        return "makes the model's statements bolder"
    return "leaves the model's statements as they were"


def _figure(when: str, reliability: Reliability) -> Figure:
    label = f"Calibration {when.lower()}: ECE {percent(reliability.ece)} over {sum(reliability.counts):,} samples."
    caption = (
        "On the dashed line, what is said to be 80 % sure is right in 80 % of the cases; larger dots hold more samples."
    )
    return Figure(reliability_chart(reliability, label=label), caption, f"{when}: ECE {percent(reliability.ece)}")
