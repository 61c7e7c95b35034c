"""Masks: overlap case by case, the worst cases as slices, size against overlap, and how far a network sees."""

from dataclasses import dataclass
from math import log10

from fieldcraft.records.mask_results import MaskResults
from fieldcraft.records.masks import Refinement
from fieldcraft.records.results import Estimate
from fieldcraft.report.charts.points import point_rows, points_over
from fieldcraft.report.charts.receptive_field import Square, receptive_field_chart
from fieldcraft.report.outlines import mistaken, outlined
from fieldcraft.report.page import Absent, Figure, Key, Picture, Table, columns
from fieldcraft.report.pixels import data_uri, is_small, picture
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number, percent, shortened, whole

PICTURES = 12
LONGEST = 384
MEASURES = {
    "dice": "Dice",
    "iou": "IoU",
    "hd95_mm": "HD95, mm",
    "surface_dice": "Surface Dice",
    "boundary_iou": "Boundary IoU",
}


@dataclass(frozen=True)
class MaskView:
    """What is shown of masks."""

    intro: str
    table: Table
    figures: tuple[Figure, ...]
    keys: tuple[Key, ...]
    pictures: tuple[Picture, ...]
    legend: str
    field: Figure | None
    refinements: Table | None
    calibration: str


def masks(run: Run) -> MaskView | Absent | None:
    """Of the winner on the test part; None for runs that are no segmentation."""
    if run.plan is None or run.plan.task.kind != "segmentation":
        return None
    found = run.masks
    if found is None:
        return Absent("The test part was not looked at yet, so there are no masks to show.")
    return MaskView(
        intro=_intro(found),
        table=_table(found),
        figures=_figures(found),
        keys=tuple(Key(one.class_name, place) for place, one in enumerate(found.summary.classes)),
        pictures=_pictures(run),
        legend="Green: the truth; orange: the prediction; white: where both run. In the maps beside them light places "
        "are those where the model was unsure, red ones those where it was wrong.",
        field=_field(run, found),
        refinements=_refinements(found.refinements),
        calibration=_calibration(found),
    )


def _intro(found: MaskResults) -> str:
    dice = found.summary.mean.get("dice")
    cases = f"{whole(len(found.cases))} test case{'' if len(found.cases) == 1 else 's'}"
    within = (
        " Training and test are slices of one volume: this says nothing of another one." if found.within_volume else ""
    )
    missed = sum(one.missed for one in found.summary.classes)
    absent = f" {whole(missed)} object classes were missed altogether in a case." if missed else ""
    overlap = f": mean Dice {_interval(dice)}" if dice is not None else ""
    return f"On {cases}{overlap}, every case counting alike.{absent}{within}"


def _table(found: MaskResults) -> Table:
    titles = columns("Class", "#Cases", *(f"#{name}" for name in MEASURES.values()))
    rows = [
        (one.class_name, whole(one.cases), *(_interval(one.metrics.get(name)) for name in MEASURES))  # type: ignore[call-overload]
        for one in found.summary.classes
    ]
    rows.append(("mean", whole(len(found.cases)), *(_interval(found.summary.mean.get(name)) for name in MEASURES)))  # type: ignore[call-overload]
    return Table(
        "Means over the test cases, each with its 95 % interval (cases or groups resampled).", titles, tuple(rows)
    )


def _figures(found: MaskResults) -> tuple[Figure, ...]:
    by_class = [
        (one.class_name, [row for case in found.cases for row in case.classes if row.class_id == one.class_id])
        for one in found.summary.classes
    ]
    dots = [(name, [row.dice for row in rows if row.dice is not None]) for name, rows in by_class]
    figures = [
        Figure(
            point_rows(dots, label="Dice of each test case, class by class.", x_label="Dice"),
            "A dot is a case; the dashed line is their mean. Cases that have a class neither in the truth nor in the "
            "prediction are left out.",
            "Dice, case by case",
        )
    ]
    sized = [
        [(log10(row.truth_voxels), row.dice) for row in rows if row.dice is not None and row.truth_voxels]
        for _, rows in by_class
    ]
    if any(sized):
        groups = [([x for x, _ in one], [y for _, y in one]) for one in sized]
        label = "Dice over the number of true voxels."
        chart = points_over(groups, label=label, x_label="true voxels, power of ten", y_label="Dice")
        figures.append(Figure(chart, "Small objects lose more by a wrong rim of one voxel.", "Size against Dice"))
    return tuple(figures)


def _pictures(run: Run) -> tuple[Picture, ...]:
    ids, scores, where = (run.pixels.get(name) for name in ("case_ids", "case_scores", "case_slices"))
    if ids is None or scores is None or where is None:
        return ()
    found = []
    for place in range(min(PICTURES, len(ids))):
        arrays = [run.pixels.get(f"case_{place}_{name}") for name in ("image", "truth", "predicted", "uncertainty")]
        image, truth, predicted, uncertainty = arrays
        if image is None or truth is None or predicted is None or uncertainty is None:
            continue
        name, told = shortened(str(ids[place]), 40), f"Dice {number(float(scores[place]), 3)}"
        lines = (name, told, str(where[place]))
        outlines = data_uri(outlined(image, truth, predicted), LONGEST)
        errors = data_uri(mistaken(truth, predicted, uncertainty), LONGEST)
        found.append(Picture(outlines, f"Truth and prediction of {name} as outlines", lines, False))
        found.append(Picture(errors, f"Uncertainty and errors of {name}", (name, "unsure and wrong places"), False))
    return tuple(found)


def _field(run: Run, found: MaskResults) -> Figure | None:
    """Patch and field over the first slice; only where the network saw the file's own grid."""
    image, axes = run.pixels.get("case_0_image"), run.pixels.get("case_axes")
    steps = run.pixels.get("case_steps")
    if image is None or axes is None or steps is None or not found.patch or _resampled(run):
        return None
    height, width = image.shape[:2]
    rows, columns_, step = int(axes[0][0]), int(axes[0][1]), int(steps[0])
    if max(rows, columns_) >= len(found.patch):
        return None
    squares = [_square("patch", found.patch, rows, columns_, step, height, width)]
    if found.field:
        squares.append(_square("field", found.field, rows, columns_, step, height, width))
    label = "Patch and receptive field of the deepest level over a test case."
    chart = receptive_field_chart(
        data_uri(picture(image), LONGEST), height, width, squares, small=is_small(image), label=label
    )
    sides = "x".join(map(str, found.patch))
    seen = (
        f"; the other what a voxel of the deepest level sees, {'x'.join(map(str, found.field))}" if found.field else ""
    )
    return Figure(chart, f"One square is a training patch, {sides} voxels{seen}.", "Patch and field over a case")


def _square(name: str, sides: tuple[int, ...], rows: int, columns_: int, step: int, height: int, width: int) -> Square:
    def around(side: int, length: int) -> tuple[int, int]:
        shown = max(1, side // step)
        first = (length - shown) // 2
        return first, first + shown - 1

    return Square(name, around(sides[rows], height), around(sides[columns_], width))


def _resampled(run: Run) -> bool:
    return bool(run.plan is not None and run.plan.input.kind == "patches" and run.plan.input.spacing)


def _refinements(found: tuple[Refinement, ...]) -> Table | None:
    if not found:
        return None
    rows = tuple((one.name, "kept" if one.kept else "not kept", one.chosen, one.because) for one in found)
    titles = columns("Last step", "Verdict", "Best of those tried", "Why")
    return Table("Sought on validation by cross-fitting; kept only where validation improves.", titles, rows)


def _calibration(found: MaskResults) -> str:
    one = found.calibration
    if one is None:
        return ""
    return (
        f"A temperature of {number(one.temperature, 3)} was fitted on {whole(one.fitted_voxels)} voxels of validation. "
        f"The expected calibration error of {whole(one.measured_voxels)} test voxels was {percent(one.before.ece)} "
        f"before and {percent(one.after.ece)} after."
    )


def _interval(found: Estimate | None) -> str:
    if found is None:
        return "-"
    return f"{found.value:.3g}" if found.alone else f"{found.value:.3g} ({found.low:.3g} to {found.high:.3g})"
