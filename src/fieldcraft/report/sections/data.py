"""The facts of the data, each with how it was found, and some samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.records.facts import DataFacts, Facts, MachineFacts
from fieldcraft.report.charts.bars import Bar, thin_bar_chart
from fieldcraft.report.fact_rows import data_rows, machine_rows, reference_rows, weights_rows
from fieldcraft.report.page import Absent, Figure, Picture, Table, columns, pairs
from fieldcraft.report.pixels import data_uri, is_small, picture
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number, plural, seconds, shortened, whole

SAMPLES = 27
CLASSES = 20
"""Bars of class counts at most."""


@dataclass(frozen=True)
class Data:
    """What was found out before training."""

    intro: str
    samples: tuple[Picture, ...]
    facts: Table
    classes: Figure | None
    machine: Table
    reference: Table | None
    measured: Table | None


def data(run: Run) -> Data | Absent:
    """Facts and thumbnails of a run."""
    if run.facts is None:
        return Absent("The facts of the data were not written yet.")
    return of_facts(run.facts, run.pixels)


def of_facts(known: Facts, pixels: Mapping[str, npt.NDArray[Any]]) -> Data:
    """Facts, and thumbnails from arrays as `thumbnails.npz` has them."""
    facts = known.data
    return Data(
        intro=_intro(facts),
        samples=_samples(pixels),
        facts=_facts(known),
        classes=_classes(facts),
        machine=_machine(known.machine, known.budget.seconds),
        reference=_reference(known.machine),
        measured=_measured(known.measured),
    )


def _intro(facts: DataFacts) -> str:
    kind = {"image": "images", "table": "rows", "cases": "images with masks"}[facts.inputs.kind]
    parted = f"{whole(facts.train)} to train on, {whole(facts.validation)} to choose by, {whole(facts.test)} to test on"
    target = {
        "single-label": plural(facts.target.outputs, "class", "classes") + ", one a sample",
        "multi-label": plural(facts.target.outputs, "label") + ", any number of them a sample",
        "regression": plural(facts.target.outputs, "number") + " to predict",
        "segmentation": plural(facts.target.outputs, "class", "classes") + " of voxels, the background counted",
    }[facts.target.task]
    whole_groups = " Samples of one group stay in one part." if facts.grouped else ""
    return f"{whole(facts.samples)} {kind}: {parted}. {target[0].upper()}{target[1:]}.{whole_groups}"


def _facts(known: Facts) -> Table:
    rows = (*data_rows(known.data), *weights_rows(known.weights))
    return Table(
        "Each fact with how it was found and on what.",
        columns("Fact", "Value" if known.data.inputs.kind == "cases" else "#Value", "Method", "Sample"),
        rows,
    )


def _classes(facts: DataFacts) -> Figure | None:
    counts = facts.target.counts.value
    if not counts:
        return None
    order = sorted(range(len(counts)), key=lambda index: -counts[index])
    shown = order if len(order) <= CLASSES else [*order[: CLASSES // 2], *order[-CLASSES // 2 :]]
    bars = tuple(Bar(facts.target.names[index], counts[index], whole(counts[index])) for index in shown)
    label = "Samples per class: " + ", ".join(f"{bar.name} {bar.shown}" for bar in bars)
    rest = len(order) - len(shown)
    masked = facts.target.task == "segmentation"
    caption = f"{'Training cases that have' if masked else 'Samples of'} each class, most frequent first"
    caption += f"; {rest} classes in between are not drawn." if rest else "."
    return Figure(thin_bar_chart(bars, label=label), caption)


def _samples(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[Picture, ...]:
    pixels = arrays.get("samples")
    if pixels is None or pixels.ndim != 4:
        return ()
    ids = _strings(arrays.get("sample_ids"), len(pixels))
    labels = _strings(arrays.get("sample_labels"), len(pixels))
    return tuple(
        Picture(data_uri(picture(image)), f"Training sample {name}", (shortened(label, 40),), is_small(image))
        for image, name, label in zip(pixels[:SAMPLES], ids, labels, strict=False)
    )


def _strings(values: npt.NDArray[np.generic] | None, count: int) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if values is not None else ("",) * count


def _machine(machine: MachineFacts, budget: float | None) -> Table:
    limit = ("Budget", seconds(budget) if budget is not None else "no limit")
    return pairs("The machine and the budget.", (*machine_rows(machine), limit))


def _reference(machine: MachineFacts) -> Table | None:
    if not machine.reference:
        return None
    titles = columns("Operation", "Setting", "#ms", "#G operations/s")
    return Table("Reference steps: forward and backward pass.", titles, reference_rows(machine.reference))


def _measured(measured: Any) -> Table | None:
    if not measured:
        return None
    rows = tuple((key, number(fact.value, 4), fact.method, fact.sample) for key, fact in measured.items())
    return Table("Measurements that tips asked for.", columns("Question", "#Answer", "Method", "Sample"), rows)
