"""Masks: measures class by class, the worst cases as slices, where mistakes lie, and what last steps did."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10

from fieldcraft.records.mask_results import MaskResults
from fieldcraft.records.masks import Refinement, VoxelCalibration
from fieldcraft.records.results import Estimate, Reliability
from fieldcraft.report.charts.bars import Bar, thin_bar_chart
from fieldcraft.report.charts.points import point_rows, points_over
from fieldcraft.report.charts.reliability import reliability_chart
from fieldcraft.report.mask_measures import OF_CASES, OF_CLASSES, Measures, class_words, measures_of
from fieldcraft.report.metrics import Metric
from fieldcraft.report.page import Absent, Figure, Key, Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.sections.mask_cases import ShownCases, shown_cases
from fieldcraft.report.sections.mask_field import Reach, mask_field
from fieldcraft.report.wording import MINUS, estimate, number, percent, plural, whole

EASY = 0.9
"""With fewer contested voxels than this share, their calibration is told apart."""
LAYER_NAMES = ("boundary", "1 step off", "2 steps off", "3 steps off", "farther")
"""Of `ErrorDepths.wrong`, the innermost first."""


@dataclass(frozen=True)
class Calibrated:
    """Whether probabilities of voxels can be believed."""

    told: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class LastSteps:
    """What a CRF and filters of components did."""

    told: tuple[str, ...]
    changes: Table


@dataclass(frozen=True)
class MaskView:
    """What is shown of masks."""

    intro: tuple[str, ...]
    table: Table
    of_cases: Table | None
    cases: ShownCases | None
    figures: tuple[Figure, ...]
    keys: tuple[Key, ...]
    reach: Reach | None
    calibrated: Calibrated | None
    last_steps: LastSteps | None


def masks(run: Run) -> MaskView | Absent | None:
    """Of the winner on the test part; None for runs that are no segmentation."""
    if not run.of_masks:
        return None
    found = run.masks
    if found is None:
        return Absent("The test part was not looked at yet, so there are no masks to show.")
    measures = measures_of(run)
    names = [class_words(one.class_name) for one in found.summary.classes]
    return MaskView(
        intro=_intro(found, measures),
        table=_table(found, measures),
        of_cases=_of_cases(found, measures),
        cases=shown_cases(run, found, measures),
        figures=_figures(found, measures),
        keys=tuple(Key(name, place) for place, name in enumerate(names)) if len(names) > 1 else (),
        reach=mask_field(run, found, measures.unit),
        calibrated=_calibrated(found.calibration),
        last_steps=_last_steps(found.refinements, measures),
    )


def _intro(found: MaskResults, measures: Measures) -> tuple[str, ...]:
    dice = found.summary.mean.get("dice")
    cases = plural(len(found.cases), "test case")
    overlap = f", mean Dice {_interval(dice, measures['dice'])}, every case counting alike" if dice is not None else ""
    said = [f"{cases}{overlap}."]
    if found.within_volume:
        said.append("Training and test are slices of one volume: this says nothing of another volume.")
    if any(one.alone for one in found.summary.mean.values()):
        said.append("All test cases are of one group: no interval can be given.")
    said += [
        f"{class_words(one.class_name)} was missed altogether in {whole(one.missed)} of the "
        f"{plural(one.cases, 'case')} with it."
        for one in found.summary.classes
        if one.missed
    ]
    said += [
        f"{class_words(one.class_name)} was found in {plural(one.imagined, 'case')} without any."
        for one in found.summary.classes
        if one.imagined
    ]
    return tuple(said)


def _table(found: MaskResults, measures: Measures) -> Table:
    """Measures down, classes across."""
    classes = found.summary.classes
    several = len(classes) > 1
    titles = columns(
        "Measure",
        *(f"#{class_words(one.class_name)}" for one in classes),
        *(["#Mean of the classes"] if several else []),
        "Meaning",
    )
    rows = [
        (
            measures[name].label,
            *(_interval(one.metrics.get(name), measures[name]) for one in classes),
            *([_interval(found.summary.mean.get(name), measures[name])] if several else []),
            measures[name].meaning,
        )
        for name in OF_CLASSES
    ]
    return Table(
        "Means over the test cases that have the class in truth or prediction; in brackets 95 % intervals, cases or "
        "groups resampled.",
        titles,
        tuple(rows),
    )


def _of_cases(found: MaskResults, measures: Measures) -> Table | None:
    """Of whole cases."""
    rows = tuple(
        (measures[name].label, _interval(found.summary.cases[name], measures[name]), measures[name].meaning)
        for name in OF_CASES
        if name in found.summary.cases
    )
    caption = "Of all classes together."
    if found.membrane_threshold is not None:
        caption += (
            " For the Rand score cells are parted where the probability of membrane is at least "
            f"{number(found.membrane_threshold, 2)}, which was fixed on validation."
        )
    return Table(caption, columns("Measure", "#Value", "Meaning"), rows) if rows else None


# ---------------------------------------------------------------- drawings


def _figures(found: MaskResults, measures: Measures) -> tuple[Figure, ...]:
    by_class = [
        (
            class_words(one.class_name),
            [row for case in found.cases for row in case.classes if row.class_id == one.class_id],
        )
        for one in found.summary.classes
    ]
    dots = [(name, [row.dice for row in rows if row.dice is not None]) for name, rows in by_class]
    figures = [
        Figure(
            point_rows(dots, label="Dice of each test case, class by class.", x_label="Dice"),
            "A dot is a case; the dashed line is their mean. A case with the class in neither mask has none.",
            "Dice, case by case",
        )
    ]
    sized = [
        [(log10(row.truth_voxels), row.dice) for row in rows if row.dice is not None and row.truth_voxels]
        for _, rows in by_class
    ]
    if sum(map(len, sized)):
        groups = [([x for x, _ in one], [y for _, y in one]) for one in sized]
        label = "Dice over the number of true voxels, case by case."
        chart = points_over(groups, label=label, x_label="true voxels", y_label="Dice", x_text=_power)
        caption = "A mark is one class of one case. Small objects lose more by a wrong rim of one voxel."
        figures.append(Figure(chart, caption, "Size against Dice"))
    if found.depths is not None and any(one > 0 for one in found.depths.wrong):
        figures.append(_depths(found, measures))
    return tuple(figures)


def _depths(found: MaskResults, measures: Measures) -> Figure:
    depths = found.depths
    assert depths is not None
    total = sum(depths.wrong)
    bars = tuple(
        Bar(name, count / total, percent(count / total, 0)) for name, count in zip(LAYER_NAMES, depths.wrong, strict=True)
    )
    label = "Wrong voxels by their distance to the nearest true boundary: " + ", ".join(
        f"{bar.name} {bar.shown}" for bar in bars
    )
    caption = (
        f"{percent(total / depths.voxels)} of all voxels are wrong. A step is {depths.step_mm:.3g} {measures.unit}. "
        "Where a boundary runs people differ by a voxel or so, too; what is wrong farther away was missed or imagined."
    )
    return Figure(thin_bar_chart(bars, label=label), caption, "Where the mistakes lie")


def _power(place: float) -> str:
    """The number whose logarithm it is."""
    value = 10**place
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.2g}{letter}" if value < 100 * limit else f"{value / limit:.0f}{letter}"
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


# ---------------------------------------------------------------- calibration and last steps


def _calibrated(one: VoxelCalibration | None) -> Calibrated | None:
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


def _last_steps(found: Sequence[Refinement], measures: Measures) -> LastSteps | None:
    if not found:
        return None
    told = tuple(
        f"{one.name}: {'kept' if one.kept else 'not kept'}. Best of the {one.candidates} tried: {one.chosen}."
        + ("" if _gain(one) is not None else f" {one.because[:1].upper()}{one.because[1:]}.")
        for one in found
    )
    rows = [
        (
            f"{one.name}, {measures[name].label}",
            number(change.before),
            number(change.after),
            _change(change.gain),
        )
        for one in found
        for name, change in one.changes.items()
    ]
    titles = columns("Last step and measure", "#Before", "#After", "#Gain, 95 % interval")
    caption = (
        "On validation, cross-fitted; a step is kept only where the gain in its first measure has an interval above "
        "zero. A gain is above zero where it is better, also of distances."
    )
    return LastSteps(told, Table(caption, titles, tuple(rows)))


def _gain(one: Refinement) -> Estimate | None:
    return next(iter(one.changes.values())).gain if one.changes else None


def _change(gain: Estimate | None) -> str:
    if gain is None:
        return "–"
    return f"{_signed(gain.low)} to {_signed(gain.high)}" if gain.low or gain.high else "no change"


def _signed(value: float) -> str:
    return f"{value:+.2g}".replace("-", MINUS) if value else "0"


def _interval(found: Estimate | None, known: Metric) -> str:
    if found is None:
        return "–"
    value, bounds = estimate(found, known.share)
    return value if found.alone or not isfinite(found.low) else f"{value} ({bounds})"
