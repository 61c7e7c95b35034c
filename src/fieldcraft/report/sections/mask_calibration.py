"""Whether the probabilities of voxels can be believed."""

from dataclasses import dataclass

from fieldcraft.records.masks import VoxelCalibration
from fieldcraft.records.results import Reliability
from fieldcraft.report.charts.reliability import reliability_chart
from fieldcraft.report.page import Figure
from fieldcraft.report.wording import number, percent, whole

EASY = 0.9
"""With fewer contested voxels than this share, their calibration is told apart."""


@dataclass(frozen=True)
class Calibrated:
    """Whether probabilities of voxels can be believed."""

    told: str
    figures: tuple[Figure, ...]


def mask_calibration(one: VoxelCalibration | None) -> Calibrated | None:
    """None where voxels were not calibrated."""
    if one is None:
        return None
    told = (
        f"A temperature of {number(one.temperature)} was fitted on {whole(one.fitted_voxels)} validation voxels. The "
        f"expected calibration error (ECE) of {whole(one.measured_voxels)} test voxels was {percent(one.before.ece)} "
        f"before and is {percent(one.after.ece)} after."
    )
    contested = one.contested_before
    if contested is not None and one.contested_after is not None and sum(contested.counts) < EASY * one.measured_voxels:
        told += (
            f" Many voxels are easy: of the {whole(sum(contested.counts))} where background was given less than "
            f"{percent(0.99, 0)}, it was {percent(contested.ece)} and is {percent(one.contested_after.ece)}."
        )
    return Calibrated(told, (_reliability("Before", one.before), _reliability("After", one.after)))


def _reliability(when: str, found: Reliability) -> Figure:
    label = f"Calibration {when.lower()}: ECE {percent(found.ece)} over {sum(found.counts):,} voxels."
    caption = (
        "On the dashed line, what is said to be 80 % sure is right 80 % of the time; larger dots hold more voxels."
    )
    return Figure(reliability_chart(found, label=label, of="voxels"), caption, f"{when}: ECE {percent(found.ece)}")
