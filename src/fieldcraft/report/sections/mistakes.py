"""The worst mistakes, as pictures or as rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.report.page import Absent, Picture, Table, columns
from fieldcraft.report.pixels import data_uri, is_small, picture
from fieldcraft.report.predictions_table import Predictions
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number, percent, shortened, whole

PICTURES = 24
ROWS = 15


@dataclass(frozen=True)
class Mistakes:
    """Where the model was most wrong."""

    intro: str
    pictures: tuple[Picture, ...]
    table: Table | None


def mistakes(run: Run) -> Mistakes | Absent:
    """Pictures where there are any, else rows."""
    if run.predictions is None or not len(run.predictions):
        return Absent("There are no predictions to look for mistakes in.")
    rows, part = run.predictions.judged()
    if not len(rows):
        return Absent("There are no predictions for the test or the validation part.")
    pictures = _pictures(run)
    if {"truth", "prediction", "probability"} <= set(rows.columns):
        order, intro, table = _confident(rows, part)
    elif rows.named("truth") and f"p:{rows.named('truth')[0]}" in rows:
        order, intro, table = _labels(rows, part)
    elif pairs := _targets(rows):
        order, intro, table = _far_off(rows, part, pairs)
    else:
        return Absent("The predictions do not stand beside the truth.")
    return Mistakes(intro, pictures, table if len(order) and not pictures else None)


def _confident(rows: Predictions, part: str) -> tuple[npt.NDArray[np.int64], str, Table]:
    wrong = np.flatnonzero(rows.columns["truth"] != rows.columns["prediction"])
    order = wrong[np.argsort(-rows.numbers("probability")[wrong], kind="stable")][:ROWS]
    were = "was" if len(wrong) == 1 else "were"
    intro = f"{whole(len(wrong))} of {whole(len(rows))} samples of the {part} part {were} predicted wrong."
    intro += " Here are those of which the model was surest." if len(wrong) else ""
    probability = rows.numbers("probability")[order]
    cells = zip(
        rows.words("id", order), rows.words("truth", order), rows.words("prediction", order), probability, strict=True
    )
    table = Table(
        "Wrong predictions, the surest first.",
        columns("Sample", "Truth", "Predicted", "#Probability"),
        tuple((name, truth, said, percent(sure)) for name, truth, said, sure in cells),
    )
    return order, intro, table


def _labels(rows: Predictions, part: str) -> tuple[npt.NDArray[np.int64], str, Table]:
    names = [name for name in rows.named("truth") if f"p:{name}" in rows]
    gaps = np.stack([np.abs(rows.numbers(f"truth:{name}") - rows.numbers(f"p:{name}")) for name in names], axis=1)
    order = np.argsort(-gaps.max(axis=1), kind="stable")[:ROWS]
    worst = gaps[order].argmax(axis=1)
    table = tuple(
        (
            name,
            names[label],
            "yes" if rows.numbers(f"truth:{names[label]}")[row] > 0.5 else "no",
            percent(float(rows.numbers(f"p:{names[label]}")[row])),
        )
        for name, label, row in zip(rows.words("id", order), worst, order, strict=True)
    )
    titles = columns("Sample", "Label", "Has it", "#Probability given")
    intro = f"Samples of the {part} part where the probability of a label was farthest from the truth."
    return order, intro, Table("The farthest first.", titles, table)


def _targets(rows: Predictions) -> list[tuple[str, str]]:
    """Columns of the truth with those of the predictions, one pair a regression target."""
    several = [(f"truth:{name}", name) for name in rows.named("truth")]
    return [pair for pair in several or [("truth", "prediction")] if pair[0] in rows and pair[1] in rows]


def _far_off(
    rows: Predictions, part: str, columns_of: list[tuple[str, str]]
) -> tuple[npt.NDArray[np.int64], str, Table]:
    errors = np.stack([np.abs(rows.numbers(said) - rows.numbers(truth)) for truth, said in columns_of], axis=1)
    scale = np.nanstd(np.stack([rows.numbers(truth) for truth, _ in columns_of], axis=1), axis=0)
    order = np.argsort(-(errors / np.where(scale > 0, scale, 1)).max(axis=1), kind="stable")[:ROWS]
    cells = []
    for row, name in zip(order, rows.words("id", order), strict=True):
        pairs = [(rows.numbers(truth)[row], rows.numbers(said)[row]) for truth, said in columns_of]
        cells.append((name, *(", ".join(number(value, 4) for value in values) for values in zip(*pairs, strict=True))))
    intro = f"Samples of the {part} part that were predicted farthest from the truth."
    table = Table("The farthest first.", columns("Sample", "#Truth", "#Predicted"), tuple(cells))
    return order, intro, table


def _pictures(run: Run) -> tuple[Picture, ...]:
    images, ids = run.pixels.get("mistakes"), run.pixels.get("mistake_ids")
    if images is None or ids is None or run.predictions is None:
        return ()
    places = {str(name): index for index, name in enumerate(run.predictions.columns["id"])}
    return tuple(
        Picture(data_uri(picture(image)), f"Sample {name}", _caption(run.predictions, name, places), is_small(image))
        for image, name in zip(images[:PICTURES], (str(each) for each in ids), strict=False)
    )


def _caption(rows: Predictions, name: str, places: dict[str, int]) -> tuple[str, ...]:
    short = shortened(name, 40)
    if name not in places:
        return (short,)
    row = places[name]
    if {"truth", "prediction", "probability"} <= set(rows.columns):
        truth, said, sure = (rows.columns[key][row] for key in ("truth", "prediction", "probability"))
        return (f"said {shortened(str(said), 30)} ({percent(sure, 0)})", f"is {shortened(str(truth), 30)}", short)
    labels = [label for label in rows.named("truth") if f"p:{label}" in rows]
    if labels:
        named = [label for label in labels if rows.columns[f"p:{label}"][row] >= 0.5]
        true = [label for label in labels if rows.columns[f"truth:{label}"][row] > 0.5]
        return (f"said {_listed(named)}", f"is {_listed(true)}", short)
    pairs = _targets(rows)
    said = ", ".join(number(float(rows.columns[said][row])) for _, said in pairs)
    true_values = ", ".join(number(float(rows.columns[truth][row])) for truth, _ in pairs)
    return (f"said {said}", f"is {true_values}", short)


def _listed(labels: list[str]) -> str:
    return shortened(", ".join(labels), 40) or "nothing"
