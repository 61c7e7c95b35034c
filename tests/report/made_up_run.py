"""Run folders made up for the tests: every file that a run writes, for every task, without training anything."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from fieldcraft.plan.schema import (
    Augment,
    Averaging,
    Cnn,
    ImageInput,
    Ladder,
    Mlp,
    MultiLabel,
    OneCycle,
    Plan,
    Regression,
    ResNet,
    Rung,
    SingleLabel,
    TableInput,
)
from fieldcraft.plan.toml import to_toml
from fieldcraft.records.decision import Decision
from fieldcraft.records.deep_facts import ClassBetti, DeepFacts, Geometry, LearningCurve, Noise, Symmetry, Topology
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import (
    Budget,
    DataFacts,
    Facts,
    ImageFacts,
    MachineFacts,
    TableFacts,
    TargetFacts,
    Task,
)
from fieldcraft.records.files import write_json
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.results import (
    Calibration,
    Candidate,
    Estimate,
    Importance,
    Interval,
    Reliability,
    Results,
    Sure,
    Test,
)
from fieldcraft.train.run_folder import RunFolder

HOSTILE = '<script>alert("x")</script>'
DIGITS = tuple(str(digit) for digit in range(10))
SEED = 7


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which run to make up."""

    task: Task = "single-label"
    images: bool = True
    names: tuple[str, ...] = DIGITS
    test: bool = True
    winner: str = "residual"
    looks: int = 1
    prefix: str = "sample"
    """Start of every sample's name."""


def made_up(path: Path, asked: Asked | None = None) -> RunFolder:
    """A finished run."""
    asked = asked or Asked()
    folder = interrupted(path, asked)
    _write_predictions(folder, asked)
    if asked.images:
        _write_thumbnails(folder, asked)
    write_json(folder.results, "results", results(asked))
    lines = [{"look": look + 1, "when": "2025-01-02T03:04:05+00:00", "command": "fieldcraft fit", "why": "final test"}
             for look in range(asked.looks)]  # fmt: skip
    folder.ledger.write_text("".join(json.dumps({"schema": 1, **line}) + "\n" for line in lines))
    folder.repeat.write_text(folder.plan.read_text())
    return folder


def interrupted(path: Path, asked: Asked | None = None) -> RunFolder:
    """A run that was killed while its second network trained: plan, facts, logs, no results."""
    asked = asked or Asked()
    folder = RunFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    folder.plan.write_text(to_toml(plan(asked), decisions(asked)))
    write_json(folder.facts, "facts", facts(asked))
    write_json(folder.provenance, "provenance", PROVENANCE)
    _write_log(folder)
    entries = (
        {"event": "tick", "spent_s": 3.5, "stage": "facts"},
        {"event": "climb", "rung": "small", "go": True, "because": "gained 4.2 points, noise 0.4"},
        {
            "event": "cool-down",
            "rung": "residual",
            "at": 700,
            "end": 900,
            "because": "steps take 1.3x the planned time",
        },
        {"event": "note", "text": f"left out {HOSTILE}.png: not an image"},
    )
    folder.journal.write_text("".join(json.dumps({"schema": 1, **entry}) + "\n" for entry in entries) + '{"sche')
    return folder


PROVENANCE = {
    "request": {"source": "digits", "data_digest": "9f86d081884c7d65", "seed": 0, "edits": []},
    "command": ["fieldcraft", "fit", "digits", "--budget", "60s"],
    "versions": {"fieldcraft": "0.1.0", "torch": "2.8.0", "numpy": "2.1.0"},
    "python": "3.11.9",
    "system": "Linux 6.1 x86_64",
}


def plan(asked: Asked) -> Plan:
    tasks = {"single-label": SingleLabel(), "multi-label": MultiLabel(), "regression": Regression()}
    small = Cnn(widths=(16, 32)) if asked.images else Mlp(widths=(64,))
    large = ResNet(widths=(32, 64, 128), depths=(1, 1, 1)) if asked.images else Mlp(widths=(256, 256), residual=True)
    image = ImageInput(height=8, width=8, channels=1, augment=Augment(crop_px=1, rotate_deg=10))
    rungs = (
        Rung(name="small", network=small, steps=600, lr=0.01),
        Rung(name="residual", network=large, steps=1100, lr=0.008),
    )
    return Plan(
        task=tasks[asked.task],
        input=image if asked.images else TableInput(),
        schedule=OneCycle(),
        averaging=Averaging(decay=0.99),
        ladder=Ladder(rungs=rungs),
    )


def decisions(asked: Asked) -> tuple[Decision, ...]:
    return (
        Decision(tip="architecture", outcome="applied", because="1,437 images of 8 px: a small residual net",
                 sets=("ladder.rungs.small.network", "ladder.rungs.residual.network")),
        Decision(tip="one-cycle", outcome="applied", because="1,100 steps are known beforehand",
                 sets=("schedule.kind", "schedule.warm_up")),
        Decision(tip="weight-averaging", outcome="applied", because="validation is noisy: 288 samples",
                 sets=("averaging.decay",)),
        Decision(tip="augmentation", outcome="applied", because=f"shifts keep the class of {asked.names[0]}",
                 sets=("input.augment.crop_px", "input.augment.rotate_deg")),
        Decision(tip="label-smoothing", outcome="skipped", because="the task would not gain from it"),
        Decision(tip="compile", outcome="left-out", because="--without compile"),
    )  # fmt: skip


def facts(asked: Asked) -> Facts:
    regression = asked.task == "regression"
    counts = () if regression else tuple(180 + 3 * index for index in range(len(asked.names)))
    target = TargetFacts(
        task=asked.task,
        outputs=len(asked.names),
        names=asked.names,
        counts=_fact(counts),
        imbalance=None if regression else _fact(1.05),
        spread=_fact(tuple(77.0 for _ in asked.names)) if regression else None,
    )
    pixels = ImageFacts(
        height=_fact((8, 8, 8)),
        width=_fact((8, 8, 8)),
        channels=1,
        depth_bits=8,
        mean=_fact((77.8,)),
        std=_fact((95.9,)),
    )
    table = TableFacts(numeric=9, categorical=2, dates=1, left_out=(HOSTILE, "id"), width=21, missing=_fact(0.013))
    data = DataFacts(
        name="digits" if asked.images else "table.csv",
        digest="9f86d081884c7d65",
        samples=1797,
        train=1221,
        validation=216,
        test=360 if asked.test else 0,
        grouped=False,
        duplicates=_fact(0),
        target=target,
        inputs=pixels if asked.images else table,
        deep=deep(asked),
    )
    machine = MachineFacts(
        processor="A processor of two cores", cores=2, memory_mib=16000, free_mib=9000,
        instruction_sets=("avx2", "avx512f", "amx_bf16"), bf16=True, gpu=None, gpu_memory_mib=0, tuned_start=True,
    )  # fmt: skip
    return Facts(data=data, machine=machine, budget=Budget(seconds=60.0), measured={"step-ms:small": _fact(4.25)})


def deep(asked: Asked) -> DeepFacts:
    regression = asked.task == "regression"
    gains = (("flip-horizontal", "no", -0.21), ("rotation", "yes", 0.004), ("blur", "cannot-tell", -0.012))
    symmetry = tuple(
        Symmetry(transform=name, survives=survives, gain=gain, low=gain - 0.01, high=gain + 0.01, margin=0.01)
        for name, survives, gain in gains
    )
    curve = LearningCurve(
        samples=(100, 200, 400), error=(0.3, 0.2, 0.14), doubling=0.31, doubling_95=(0.2, 0.4), flexible=0.1
    )
    return DeepFacts(
        symmetry=_fact(symmetry) if asked.images else None,
        geometry=Geometry(extent=_fact((5.0, 6.5, 8.0)), share=_fact(0.34), spread=_fact((0.04, 0.01)))
        if asked.images
        else None,
        topology=Topology(
            dimension=_fact(8.7), dimension_95=(8.1, 9.3), neighbours=_fact(0.98), separability=_fact(0.95), chance=0.1,
            betti=_fact(tuple(ClassBetti(name=name, components=1, loops=index % 2, samples=99)
                              for index, name in enumerate(asked.names))),
        ),
        noise=Noise(
            labels=None if regression else _fact(0.013),
            labels_95=None if regression else (0.0, 0.02),
            curve=_fact(curve),
        ),
        left_out=(f"gray: {HOSTILE}",),
    )  # fmt: skip


def _fact(value):
    return Fact(value=value, method="counted", sample="all 1,797 samples")


METRICS = {
    "single-label": {"accuracy": 0.986, "balanced-accuracy": 0.985, "auroc": 0.9991, "f1": 0.985, "log-loss": 0.052},
    "multi-label": {"auroc": 0.93, "f1": 0.71, "log-loss": 0.31},
    "regression": {"rmse": 54.1, "mae": 43.9, "r2": 0.48, "nll": 5.41},
}


def results(asked: Asked) -> Results:
    share = asked.task != "regression"
    values = (0.102, 0.958, 0.961, 0.979, 0.9907) if share else (77.1, 55.2, 58.4, 56.9, 54.6)
    names = ("majority", "linear", "boosting", "small", "residual")
    candidates = tuple(
        Candidate(
            name=name,
            kind="baseline" if index < 3 else "rung",
            validation=value,
            noise=0.0 if index == 0 else abs(values[0] - value) * 0.006 + 0.001,
            seconds=(0.1, 1.2, 4.4, 6.1, 31.0)[index],
            sample="all 1,221 training samples",
            parameters=None if index < 3 else (5_290, 698_154)[index - 3],
            steps=None if index < 3 else (600, 900)[index - 3],
            planned_steps=None if index < 3 else (600, 1100)[index - 3],
            note="cooled down early" if name == "residual" else "",
        )
        for index, (name, value) in enumerate(zip(names, values, strict=True))
    )
    return Results(
        metric=next(iter(METRICS[asked.task])),
        higher_is_better=share,
        winner=asked.winner,
        verdict=_verdict(asked),
        climb=(
            "small: trained first; it beats linear by 2.1 points, five times its noise.",
            "residual: small gained more than its noise, and 31 s of the budget were left; it gained 1.2 points.",
            "The ladder ends here.",
        ),
        candidates=candidates,
        test=_test(asked) if asked.test else None,
        importance=_importance(asked),
        saliency_similarity=0.08 if asked.images else None,
        seconds={"start": 2.4, "data": 0.3, "facts": 0.9, "measurements": 2.1, "baselines": 5.7, "small": 6.1,
                 "residual": 31.0, "prediction": 1.4, "report": 0.4},
        peak_memory_mib=731.0,
        findings=(
            Finding(code="FC101", name="loss-still-falling", severity=Severity.WARNING, subject="residual, step 900",
                    numbers={"slope_per_100_steps": -0.004}, remedy="give it a larger --budget"),
        ),
        notes=("residual cooled down at step 700 and ended at step 900 of 1,100.",),
    )  # fmt: skip


def _verdict(asked: Asked) -> tuple[str, ...]:
    if asked.winner == "linear":
        return (
            "A baseline wins: linear is returned, no network was better.",
            "The best network came within its noise.",
        )
    return (
        f"A residual network tells {len(asked.names)} classes apart; it is right in 98.6 % of the test samples.",
        f"It beats the best baseline by 2.9 points on validation. Weakest class: {asked.names[-1]}.",
    )


def _test(asked: Asked) -> Test:
    metrics = {name: _estimate(value) for name, value in METRICS[asked.task].items()}
    if asked.task == "regression":
        half = tuple(90.0 for _ in asked.names)
        sigma = tuple(54.0 for _ in asked.names)
        interval = Interval(wanted=0.9, half_width=half, sigma=sigma, coverage=_estimate(0.91))
        return Test(look=asked.looks, metrics=metrics, interval=interval)
    if asked.task == "multi-label":
        return Test(look=asked.looks, metrics=metrics, calibration=_calibration())
    sure = Sure(
        wanted=0.99, threshold=0.83, reached=True, validation_accuracy=0.995, validation_coverage=0.95,
        accuracy=_estimate(0.994), coverage=_estimate(0.956),
    )  # fmt: skip
    return Test(
        look=asked.looks, metrics=metrics, confusion=_confusion(len(asked.names)), calibration=_calibration(), sure=sure
    )


def _estimate(value: float) -> Estimate:
    width = 0.009 if value < 1 else 0.06 * value
    return Estimate(
        value=value, low=value - width, high=value + width if value >= 1 else min(1.0, value + width), n=360
    )


def _calibration() -> Calibration:
    middles = (0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.97)
    counts = (2, 3, 5, 8, 14, 40, 288)
    before = Reliability(
        confidence=middles, accuracy=(0.5, 0.33, 0.4, 0.88, 0.86, 0.97, 0.997), counts=counts, ece=0.041
    )
    after = Reliability(confidence=middles, accuracy=(0.5, 0.33, 0.6, 0.62, 0.79, 0.88, 0.98), counts=counts, ece=0.013)
    return Calibration(temperature=0.71, before=before, after=after)


def _confusion(classes: int) -> tuple[tuple[int, ...], ...]:
    counts = np.diag(np.full(classes, 34))
    drawn = np.random.default_rng(SEED).integers(0, classes, size=(5, 2))
    for truth, said in drawn:
        counts[truth, said] += 1 + int(truth) % 2
    return tuple(tuple(int(value) for value in row) for row in counts)


def _importance(asked: Asked) -> tuple[Importance, ...]:
    if asked.images:
        return ()
    names = ("bmi", "s5", "bp", HOSTILE, "age", "sex")
    values = (0.121, 0.082, 0.031, 0.012, 0.002, -0.001)
    scale = 100.0 if asked.task == "regression" else 1.0
    pairs = zip(names, values, strict=True)
    return tuple(Importance(name=name, loss=value * scale, spread=0.004 * scale) for name, value in pairs)


def _write_log(folder: RunFolder) -> None:
    drawn = np.random.default_rng(SEED)
    lines: list[dict[str, object]] = []
    for rung, steps, floor in (("small", 600, 0.12), ("residual", 900, 0.05)):
        for step in range(5, steps + 1, 5):
            part = step / steps
            loss = (2.3 - floor) * np.exp(-6 * part) + floor + drawn.normal(0, 0.04) * (1.1 - part)
            rate = 0.008 * (part / 0.3 if part < 0.3 else (1 - part) / 0.7)
            lines.append({"rung": rung, "step": step, "kind": "train", "loss": max(loss, 0.01), "lr": rate, "ms": 12.5})
            if step % 60 == 0:
                metric = 0.995 - floor / 5 - 0.6 * np.exp(-7 * part)
                lines.append({"rung": rung, "step": step, "kind": "validation", "loss": loss, "metric": metric})
    folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"rung": "resid')


def _write_predictions(folder: RunFolder, asked: Asked) -> None:
    drawn = np.random.default_rng(SEED)
    parts = ["validation"] * 216 + ["test"] * (360 if asked.test else 0)
    ids = [f"{asked.prefix}-{index:04d}.png" for index in range(len(parts))]
    columns: dict[str, object] = {"id": ids, "part": parts}
    count = len(parts)
    if asked.task == "single-label":
        truth = drawn.integers(0, len(asked.names), count)
        wrong = drawn.random(count) < 0.03
        said = np.where(wrong, (truth + 1) % len(asked.names), truth)
        sure = np.where(wrong, drawn.uniform(0.4, 0.95, count), drawn.uniform(0.7, 1.0, count))
        names = np.array(asked.names, dtype=object)
        columns |= {"truth": names[truth], "prediction": names[said], "probability": sure, "unsure": sure < 0.83}
        columns |= {f"p:{name}": drawn.random(count) for name in asked.names}
    elif asked.task == "multi-label":
        for name in asked.names:
            truth = (drawn.random(count) < 0.2).astype(int)
            columns[f"truth:{name}"] = truth
            columns[f"p:{name}"] = np.clip(0.6 * truth + drawn.normal(0.15, 0.1, count), 0, 1)
    else:
        for name in asked.names:
            suffix = f":{name}" if len(asked.names) > 1 else ""
            truth = drawn.normal(150, 77, count)
            said = 0.6 * truth + 60 + drawn.normal(0, 40, count)
            columns |= {f"truth{suffix}": truth, name if suffix else "prediction": said}
            columns |= {f"low{suffix}": said - 90, f"high{suffix}": said + 90}
    pd.DataFrame(columns).to_parquet(folder.predictions)


def _write_thumbnails(folder: RunFolder, asked: Asked) -> None:
    digits = load_digits()
    pixels = (digits.images * 255 / 16).astype(np.uint8)[..., None]
    drawn = np.random.default_rng(SEED)
    mistakes = _mistakes(folder)[:12]
    saliency = pixels[:4, ..., 0] / 255 + drawn.random((4, 8, 8)) * 0.3
    np.savez(
        folder.thumbnails,
        samples=pixels[:40],
        sample_ids=np.array([f"{asked.prefix}-train-{index}.png" for index in range(40)]),
        sample_labels=np.array([asked.names[label % len(asked.names)] for label in digits.target[:40]]),
        mistakes=pixels[100 : 100 + len(mistakes)],
        mistake_ids=np.array(mistakes),
        saliency_images=pixels[:4],
        saliency=saliency.astype(np.float32),
        saliency_random=drawn.random((4, 8, 8)).astype(np.float32),
    )


def _mistakes(folder: RunFolder) -> tuple[str, ...]:
    rows = pd.read_parquet(folder.predictions)
    judged = rows[rows["part"] == ("test" if (rows["part"] == "test").any() else "validation")]
    if "probability" not in judged:
        return tuple(judged["id"][:12])
    return tuple(judged[judged["truth"] != judged["prediction"]]["id"])


def every_kind() -> Sequence[tuple[str, Asked]]:
    """One run of each kind, with a short name."""
    labels = ("cat", "dog", HOSTILE)
    return (
        ("digits", Asked()),
        (
            "hostile",
            Asked(names=(HOSTILE, "a & b", "\"quoted'", "x" * 200, "\u202egnp.\x01", "żółć"), prefix=f"../{HOSTILE}"),
        ),
        ("many-classes", Asked(names=tuple(f"class {index}" for index in range(120)))),
        ("baseline-wins", replace(Asked(), images=False, winner="linear", names=("benign", "malignant"))),
        ("labels", Asked(task="multi-label", names=labels)),
        ("regression", Asked(task="regression", images=False, names=("progression",))),
        ("two-targets", Asked(task="regression", images=True, names=("width", HOSTILE))),
        ("no-test-part", Asked(test=False)),
        ("third-look", Asked(looks=3)),
    )
