"""The facts of the data, each with how it was found, and some samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import DataFacts, ImageFacts, MachineFacts, TableFacts
from fieldcraft.report.charts.bars import Bar, thin_bar_chart
from fieldcraft.report.page import Absent, Figure, Picture, Table, columns, pairs
from fieldcraft.report.pixels import data_uri, is_small, picture
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import mebibytes, number, percent, plural, seconds, shortened, whole

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
    measured: Table | None


def data(run: Run) -> Data | Absent:
    """Facts and thumbnails."""
    if run.facts is None:
        return Absent("The facts of the data were not written yet.")
    facts = run.facts.data
    return Data(
        intro=_intro(facts),
        samples=_samples(run),
        facts=_facts(facts),
        classes=_classes(facts),
        machine=_machine(run.facts.machine, run.facts.budget.seconds),
        measured=_measured(run.facts.measured),
    )


def _intro(facts: DataFacts) -> str:
    kind = "images" if isinstance(facts.inputs, ImageFacts) else "rows"
    parted = f"{whole(facts.train)} to train on, {whole(facts.validation)} to choose by, {whole(facts.test)} to test on"
    target = {
        "single-label": plural(facts.target.outputs, "class", "classes") + ", one a sample",
        "multi-label": plural(facts.target.outputs, "label") + ", any number of them a sample",
        "regression": plural(facts.target.outputs, "number") + " to predict",
    }[facts.target.task]
    whole_groups = " Samples of one group stay in one part." if facts.grouped else ""
    return f"{whole(facts.samples)} {kind}: {parted}. {target[0].upper()}{target[1:]}.{whole_groups}"


def _facts(facts: DataFacts) -> Table:
    target = facts.target
    rows = [("Exact duplicates", whole(facts.duplicates.value), *_how(facts.duplicates))]
    if target.imbalance is not None:
        rows.append(("Largest class over smallest", f"{number(target.imbalance.value)} x", *_how(target.imbalance)))
    if target.spread is not None:
        shown = ", ".join(
            f"{name} {number(value)}" for name, value in zip(target.names, target.spread.value, strict=False)
        )
        rows.append(("Standard deviation of the target", shown, *_how(target.spread)))
    rows += _of_images(facts.inputs) if isinstance(facts.inputs, ImageFacts) else _of_table(facts.inputs)
    return Table(
        "Each fact with how it was found and on what.", columns("Fact", "#Value", "Method", "Sample"), tuple(rows)
    )


def _of_images(facts: ImageFacts) -> list[tuple[str, str, str, str]]:
    colour = "gray" if facts.channels == 1 else "colour" if facts.channels == 3 else f"{facts.channels} channels"
    return [
        ("Height, px", _range(facts.height.value), *_how(facts.height)),
        ("Width, px", _range(facts.width.value), *_how(facts.width)),
        ("Channels and depth", f"{colour}, {facts.depth_bits} bit", "from the files", "all"),
        ("Mean of each channel", ", ".join(number(value) for value in facts.mean.value), *_how(facts.mean)),
        ("Deviation of each channel", ", ".join(number(value) for value in facts.std.value), *_how(facts.std)),
    ]


def _of_table(facts: TableFacts) -> list[tuple[str, str, str, str]]:
    kinds = f"{facts.numeric} numeric, {facts.categorical} categorical, {facts.dates} dates"
    left_out = ", ".join(facts.left_out) or "none"
    return [
        ("Columns", kinds, "by their contents", "all columns"),
        ("Columns left out", left_out, "ids and constants", "all columns"),
        ("Numbers a sample once encoded", whole(facts.width), "from the encoder", "training part"),
        ("Cells without a value", percent(facts.missing.value), *_how(facts.missing)),
    ]


def _how(fact: Fact[Any]) -> tuple[str, str]:
    return fact.method, fact.sample


def _range(three: tuple[int, int, int]) -> str:
    low, middle, high = three
    return str(middle) if low == high else f"{low} to {high}, median {middle}"


def _classes(facts: DataFacts) -> Figure | None:
    counts = facts.target.counts.value
    if not counts:
        return None
    order = sorted(range(len(counts)), key=lambda index: -counts[index])
    shown = order if len(order) <= CLASSES else [*order[: CLASSES // 2], *order[-CLASSES // 2 :]]
    bars = tuple(Bar(facts.target.names[index], counts[index], whole(counts[index])) for index in shown)
    label = "Samples per class: " + ", ".join(f"{bar.name} {bar.shown}" for bar in bars)
    rest = len(order) - len(shown)
    caption = "Samples of each class, most frequent first"
    caption += f"; {rest} classes in between are not drawn." if rest else "."
    return Figure(thin_bar_chart(bars, label=label), caption)


def _samples(run: Run) -> tuple[Picture, ...]:
    pixels = run.pixels.get("samples")
    if pixels is None or pixels.ndim != 4:
        return ()
    ids = _strings(run.pixels.get("sample_ids"), len(pixels))
    labels = _strings(run.pixels.get("sample_labels"), len(pixels))
    return tuple(
        Picture(data_uri(picture(image)), f"Training sample {name}", (shortened(label, 40),), is_small(image))
        for image, name, label in zip(pixels[:SAMPLES], ids, labels, strict=False)
    )


def _strings(values: npt.NDArray[np.generic] | None, count: int) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if values is not None else ("",) * count


def _machine(machine: MachineFacts, budget: float | None) -> Table:
    gpu = f"{machine.gpu}, {mebibytes(machine.gpu_memory_mib)}" if machine.gpu else "none"
    rows = [
        ("Processor", machine.processor),
        ("Cores", whole(machine.cores)),
        ("Memory", f"{mebibytes(machine.memory_mib)}, {mebibytes(machine.free_mib)} free"),
        ("GPU", gpu),
        ("Instruction sets", ", ".join(machine.instruction_sets) or "none that matter here"),
        ("Units for bfloat16", "yes" if machine.bf16 else "no"),
        ("Tuned process start", "yes" if machine.tuned_start else "no"),
        ("Budget", seconds(budget) if budget is not None else "no limit"),
    ]
    return pairs("The machine and the budget.", rows)


def _measured(measured: Any) -> Table | None:
    if not measured:
        return None
    rows = tuple((key, number(fact.value, 4), *_how(fact)) for key, fact in measured.items())
    return Table("Measurements that tips asked for.", columns("Question", "#Answer", "Method", "Sample"), rows)
