"""Facts in words: a row of name, value, method and sample each, for the terminal and for pages."""

from collections.abc import Iterator
from typing import Any

from fieldcraft.records.deep_facts import DeepFacts, Geometry, Noise, Symmetry, Topology
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import DataFacts, ImageFacts, MachineFacts, ReferenceStep, TableFacts, Task
from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.records.weights import WeightsFacts
from fieldcraft.report.case_rows import case_rows
from fieldcraft.report.wording import mebibytes, number, percent, plural, whole

Row = tuple[str, str, str, str]
"""What it is, its value, how it was found, on what."""
SURVIVES = {"yes": "yes", "no": "no", "cannot-tell": "cannot tell"}


def data_rows(facts: DataFacts) -> tuple[Row, ...]:
    """Repeats, target, images or columns."""
    target = facts.target
    rows = [("Exact duplicates", whole(facts.duplicates.value), *_how(facts.duplicates))]
    if target.imbalance is not None:
        rows.append(("Largest class over smallest", f"{number(target.imbalance.value)} x", *_how(target.imbalance)))
    if target.spread is not None:
        shown = ", ".join(
            f"{name} {number(value)}" for name, value in zip(target.names, target.spread.value, strict=False)
        )
        rows.append(("Standard deviation of the target", shown, *_how(target.spread)))
    match facts.inputs:
        case ImageFacts() as images:
            rows += _of_images(images)
        case TableFacts() as table:
            rows += _of_table(table)
        case CaseFacts() as cases:
            rows += case_rows(cases)
    return tuple(rows)


def weights_rows(facts: tuple[WeightsFacts, ...]) -> tuple[Row, ...]:
    """What each of the pretrained weights is of."""
    return tuple(
        (
            f"Weights {one.name}",
            f"{one.family} {one.model}, {one.parameters / 1e6:.2g} M weights, {one.features} features",
            f"all {one.matched} tensors match", one.note or "not known what they were trained on",
        )
        for one in facts
    )  # fmt: skip


def _of_images(facts: ImageFacts) -> list[Row]:
    colour = "gray" if facts.channels == 1 else "colour" if facts.channels == 3 else f"{facts.channels} channels"
    return [
        ("Height, px", _range(facts.height.value), *_how(facts.height)),
        ("Width, px", _range(facts.width.value), *_how(facts.width)),
        ("Channels and depth", f"{colour}, {facts.depth_bits} bit", "from the files", "all"),
        ("Mean of each channel", ", ".join(number(value) for value in facts.mean.value), *_how(facts.mean)),
        ("Deviation of each channel", ", ".join(number(value) for value in facts.std.value), *_how(facts.std)),
    ]


def _of_table(facts: TableFacts) -> list[Row]:
    kinds = f"{facts.numeric} numeric, {facts.categorical} categorical, {facts.dates} dates"
    left_out = ", ".join(facts.left_out) or "none"
    return [
        ("Columns", kinds, "by their contents", "all columns"),
        ("Columns left out", left_out, "ids and constants", "all columns"),
        ("Numbers a sample once encoded", whole(facts.width), "from the encoder", "training part"),
        ("Cells without a value", percent(facts.missing.value), *_how(facts.missing)),
    ]


# ---------------------------------------------------------------- deep facts


def deep_rows(deep: DeepFacts, task: Task) -> tuple[Row, ...]:
    """Geometry, topology and noise, as far as they were measured; symmetries have a table of their own."""
    return (*_geometry(deep.geometry), *_topology(deep.topology, task), *_noise(deep.noise))


def symmetry_rows(found: tuple[Symmetry, ...]) -> tuple[tuple[str, str, str, str, str], ...]:
    """Transform, whether the label survives, gain and its interval in points, margin in points."""
    return tuple(
        (
            one.transform.replace("-", " "), SURVIVES[one.survives], f"{100 * one.gain:+.1f}",
            f"{100 * one.low:+.1f} to {100 * one.high:+.1f}", f"{100 * one.margin:.1f}",
        )
        for one in found
    )  # fmt: skip


def _geometry(found: Geometry | None) -> Iterator[Row]:
    if found is None:
        return
    low, middle, high = found.extent.value
    across, down = found.spread.value
    yield "Objects, longer side, px", f"{number(middle)} ({number(low)} to {number(high)})", *_how(found.extent)
    yield "Share of the frame", percent(found.share.value), *_how(found.share)
    yield "Spread of their centre", f"{percent(across)} across, {percent(down)} down", *_how(found.spread)


def _topology(found: Topology | None, task: Task) -> Iterator[Row]:
    if found is None:
        return
    if found.dimension is not None:
        within = f" ({number(found.dimension_95[0])} to {number(found.dimension_95[1])})" if found.dimension_95 else ""
        yield "Intrinsic dimension", f"{number(found.dimension.value)}{within}", *_how(found.dimension)
    shown = number if task == "regression" else percent
    kind = "R2" if task == "regression" else "accuracy"
    beside = f", chance {shown(found.chance)}"
    yield f"Nearest neighbours agree, {kind}", shown(found.neighbours.value) + beside, *_how(found.neighbours)
    yield f"A line separates, {kind}", shown(found.separability.value) + beside, *_how(found.separability)
    if found.betti is not None:
        odd = [one for one in found.betti.value if (one.components, one.loops) != (1, 0)]
        said = [f"{one.name}: {plural(one.components, 'piece')}, {plural(one.loops, 'loop')}" for one in odd]
        if len(odd) < len(found.betti.value):
            said.append(f"{'the others are' if odd else 'every class is'} one piece without loops")
        yield "Pieces and loops", "; ".join(said), *_how(found.betti)


def _noise(found: Noise | None) -> Iterator[Row]:
    if found is None:
        return
    if found.labels is not None:
        within = f" ({percent(found.labels_95[0])} to {percent(found.labels_95[1])})" if found.labels_95 else ""
        yield "Wrong labels, about", percent(found.labels.value) + within, *_how(found.labels)
    if found.curve is not None:
        curve = found.curve.value
        low, high = curve.doubling_95
        yield (
            "Twice the samples: error falls by", f"{percent(curve.doubling)} ({percent(low)} to {percent(high)})",
            *_how(found.curve),
        )  # fmt: skip
        yield "A more flexible model: error falls by", percent(curve.flexible), *_how(found.curve)


# ---------------------------------------------------------------- the machine


def machine_rows(machine: MachineFacts) -> tuple[tuple[str, str], ...]:
    """What the machine has."""
    gpu = f"{machine.gpu}, {mebibytes(machine.gpu_memory_mib)}" if machine.gpu else "none"
    return (
        ("Processor", machine.processor),
        ("Cores", whole(machine.cores)),
        ("Memory", f"{mebibytes(machine.memory_mib)}, {mebibytes(machine.free_mib)} free"),
        ("GPU", gpu),
        ("Instruction sets", ", ".join(machine.instruction_sets) or "none that matter here"),
        ("Units for bfloat16", "yes" if machine.bf16 else "no"),
        ("Tuned process start", "yes" if machine.tuned_start else "no"),
    )


def reference_rows(steps: tuple[ReferenceStep, ...]) -> tuple[tuple[str, str, str, str], ...]:
    """Operation, setting, milliseconds, billions of operations a second."""
    return tuple(
        (
            step.operation.replace("-", " "),
            f"{step.precision}{', channels last' if step.channels_last else ''}, {plural(step.threads, 'thread')}",
            number(step.ms), number(step.gflops),
        )
        for step in steps
    )  # fmt: skip


def _how(fact: Fact[Any]) -> tuple[str, str]:
    return fact.method, fact.sample


def _range(three: tuple[int, int, int]) -> str:
    low, middle, high = three
    return str(middle) if low == high else f"{low} to {high}, median {middle}"
