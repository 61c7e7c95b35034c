"""Masks: measures class by class, case by case, and where mistakes lie; the other parts have files of their own."""

from dataclasses import dataclass
from math import isfinite, log10

from fieldcraft.records.mask_results import MaskResults
from fieldcraft.records.masks import ClassSummary
from fieldcraft.records.results import Estimate
from fieldcraft.report.charts.bars import Bar, thin_bar_chart
from fieldcraft.report.charts.points import point_rows, points_over
from fieldcraft.report.mask_measures import OF_CASES, OF_CLASSES, Measures, class_words, measures_of
from fieldcraft.report.metrics import Metric
from fieldcraft.report.page import Absent, Figure, Key, Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.sections.last_steps import LastSteps, last_steps
from fieldcraft.report.sections.mask_calibration import Calibrated, mask_calibration
from fieldcraft.report.sections.mask_cases import ShownCases, shown_cases
from fieldcraft.report.sections.mask_field import Reach, mask_field
from fieldcraft.report.wording import estimate, number, percent, plural, whole

ACROSS = 6
"""With more classes than this they stand below each other."""
LAYER_NAMES = ("boundary", "1 step off", "2 steps off", "3 steps off", "farther")
"""Of `ErrorDepths.wrong`, the innermost first."""


@dataclass(frozen=True)
class MaskView:
    """What is shown of masks."""

    intro: tuple[str, ...]
    table: Table
    across: bool
    """Whether its classes stand across, and its last column says what the measures mean."""
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
    names = [_named(one) for one in found.summary.classes]
    return MaskView(
        intro=_intro(found, measures),
        table=_table(found, measures),
        across=len(names) <= ACROSS,
        of_cases=_of_cases(found, measures),
        cases=shown_cases(run, found, measures),
        figures=_figures(found, measures),
        keys=tuple(Key(name, place) for place, name in enumerate(names)) if len(names) > 1 else (),
        reach=mask_field(run, found, measures.unit),
        calibrated=mask_calibration(found.calibration),
        last_steps=last_steps(found.refinements, measures),
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
    classes = found.summary.classes
    missed = [
        f"{_named(one)} in {whole(one.missed)} of the {plural(one.cases, 'case')} with it"
        for one in classes
        if one.missed
    ]
    imagined = [f"{_named(one)} in {plural(one.imagined, 'case')}" for one in classes if one.imagined]
    if missed:
        said.append(f"Missed altogether: {'; '.join(missed)}.")
    if imagined:
        said.append(f"Imagined, in cases without any: {'; '.join(imagined)}.")
    return tuple(said)


def _table(found: MaskResults, measures: Measures) -> Table:
    """Measures down and classes across; many classes stand below each other, without the meaning of the measures."""
    classes, mean = found.summary.classes, found.summary.mean
    means = [(_named(one), one.metrics) for one in classes] + (
        [("Mean of the classes", mean)] if len(classes) > 1 else []
    )
    caption = (
        "Means over the test cases that have the class in truth or prediction; in brackets 95 % intervals, cases or "
        "groups resampled."
    )
    if len(classes) > ACROSS:
        titles = columns("Class", *(f"#{measures[name].label}" for name in OF_CLASSES))
        turned = tuple((name, *(_interval(of.get(one), measures[one]) for one in OF_CLASSES)) for name, of in means)
        return Table(f"{caption} What the measures mean is said below the verdict.", titles, turned)
    rows = tuple(
        (measures[one].label, *(_interval(of.get(one), measures[one]) for _, of in means), measures[one].meaning)
        for one in OF_CLASSES
    )
    return Table(caption, columns("Measure", *(f"#{name}" for name, _ in means), "Meaning"), rows)


def _named(one: ClassSummary) -> str:
    return class_words(one.class_name)


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


def _figures(found: MaskResults, measures: Measures) -> tuple[Figure, ...]:
    by_class = [
        (
            _named(one),
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
        Bar(name, count / total, percent(count / total, 0))
        for name, count in zip(LAYER_NAMES, depths.wrong, strict=True)
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
    shown, letter = (value / 1e6, "M") if value >= 1e6 else (value / 1e3, "k") if value >= 1e4 else (value, "")
    return f"{shown:.3g}{letter}" if shown < 99.95 else f"{shown:.0f}{letter}"


def _interval(found: Estimate | None, known: Metric) -> str:
    if found is None:
        return "–"
    value, bounds = estimate(found, known.share)
    return value if found.alone or not isfinite(found.low) else f"{value} ({bounds})"
