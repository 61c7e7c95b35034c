"""Do networks win on small tables and few images? Baselines and the planner's first two networks, a few seconds each.

Accuracy in per cent, or the negative root mean squared error in per cent of the target's deviation, on samples that
took no part in training: validation, and where SAMPLES are fewer than the training part what is left of it; never the
test part. Beside them what a flexible probe saves of a linear one's error.
Usage: python benchmarks/small_sets.py SAMPLES SEEDS (0: up to 1,200 samples)
"""

import os
import sys
import tarfile
import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from sklearn import datasets

from fieldcraft.baselines.fit import fit_baseline
from fieldcraft.build.loss import build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.fingerprint.deep import deep_facts
from fieldcraft.plan.schema import Plan, Rung
from fieldcraft.prediction.calibration import as_outputs
from fieldcraft.records.brief import Brief
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.evaluate import outputs
from fieldcraft.verbs.first_patches import first_patches
from fieldcraft.verbs.prepare import known, prepare
from fieldcraft.verbs.samples import Samples, ready
from network_parts import drafted
from result import write

BUILT_IN = ("breast-cancer", "diabetes", "digits")
UCI = {"yacht": (6, 6), "bostonHousing": (13, 13), "concrete": (8, 8), "energy": (8, 8), "kin8nm": (8, 8)}
"""Columns that are features, and the target's."""
MOST, JUDGED = 1_200, 1_500
SECONDS = 2.0


def source(name: str, folder: Path) -> object:
    if name in BUILT_IN:
        return name
    if name == "wine":
        return datasets.load_wine(return_X_y=True)
    table = np.loadtxt(folder / "UCI_Datasets" / name / "data" / "data.txt")
    table = np.random.default_rng(0).permutation(table)[:4_000]
    features, target = UCI[name]
    return table[:, :features], table[:, target]


def value(task: str, truth: np.ndarray, said: np.ndarray) -> float:
    if task == "single-label":
        return round(100 * float((said.argmax(axis=1) == truth).mean()), 2)
    numbers = truth.astype(float).reshape(len(truth), -1)
    return round(-100 * float(np.sqrt(np.mean((said - numbers) ** 2)) / numbers.std()), 2)


def trained(rung: Rung, plan: Plan, samples: Samples, truth: np.ndarray) -> float:
    train, most = len(samples.parts.train), 300 if samples.features is not None else 150
    rung = replace(rung, steps=min(most, max(80, 60 * train // plan.batch.size)))
    machine = engine(plan.execution)
    net = build_network(
        rung.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation, seed=plan.seed,
        name=rung.name, patches=first_patches(samples, plan),
    )  # fmt: skip
    course, loss_of = Course.of(rung, plan.schedule), build_loss(plan.task)
    optimiser = build_optimiser(net, plan.optimiser, rung.lr)
    batches = samples.batches("train", plan, machine.device, name=rung.name, augment=True)
    for step in range(rung.steps):
        for group in optimiser.param_groups:
            group["lr"] = course.rate(step)
        batch = batches.training_batch(step)
        loss_of(net(batch.inputs), batch.targets).mean().backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    said = outputs(net, replace(batches, rows=samples.parts.validation), machine, exact=True).astype(float)
    if plan.task.kind == "regression":
        said = said * np.array(samples.target_std) + np.array(samples.target_mean)
    return value(plan.task.kind, truth, said)


def compared(given: object, count: int, seed: int) -> dict[str, float | int | None]:
    prepared = prepare(given, ReadOptions(), seed=seed)
    parts = prepared.parts
    train = np.random.default_rng(seed).permutation(parts.train)[: count or MOST]
    left = np.setdiff1d(np.concatenate([parts.train, parts.validation]), train) if count else parts.validation
    prepared = replace(prepared, parts=replace(parts, train=np.sort(train), validation=left[:JUDGED]))
    batch = 16 if len(train) < 200 else 32
    plan = drafted(Brief(facts=known(prepared, 60.0)), prepared.start, batch, seed)
    with TemporaryDirectory() as cache:
        samples = ready(prepared.dataset, prepared.parts, plan, Path(cache))
        rows, truth, task = samples.parts.train, samples.truth("validation"), plan.task.kind
        seen = {
            name: None if array is None else array[rows]
            for name, array in (("pixels", samples.pixels), ("features", samples.features))
        }
        deep = deep_facts(
            **seen, labels=samples.truth("train"), names=samples.dataset.targets.names, groups=None, task=task,
            seed=seed, limit_s=2 * SECONDS,
        )  # fmt: skip
        curve = deep.noise.curve if deep.noise is not None else None
        row: dict[str, float | int | None] = {
            "samples": len(rows), "flexible": None if curve is None else round(curve.value.flexible, 3)
        }  # fmt: skip
        held = samples.flat(samples.parts.validation)
        for kind in ("linear", "boosting"):
            fitted = fit_baseline(
                kind, samples.flat(rows), samples.truth("train"), task, samples.outputs, seconds=SECONDS, threads=1,
                seed=seed, validation=(held, truth),
            )  # fmt: skip
            row[kind] = value(task, truth, as_outputs(fitted.scores(held), task))
        for rung in plan.ladder.rungs:
            row[rung.name] = trained(rung, plan, samples, truth)
    return row


def main(samples: int = 0, seeds: int = 3) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    data = Path(os.environ.get("FIELDCRAFT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    found: dict[str, list[dict[str, float | int | None]]] = {}
    with TemporaryDirectory() as folder:
        with tarfile.open(data / "uci_regression" / "uci_regression.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        for name in (*BUILT_IN, "wine", *UCI):
            found[name] = [compared(source(name, Path(folder)), samples, seed) for seed in range(seeds)]
            print(name, found[name], file=sys.stderr, flush=True)
    won = sum(
        max(row["small"], row["large"]) > max(row["linear"], row["boosting"]) for rows in found.values() for row in rows
    )
    write(
        f"small_sets_{samples or 'all'}",
        "accuracy in per cent, or minus RMSE in per cent of the deviation, on samples not trained on",
        {"splits": sum(map(len, found.values())), "a_network_was_best": won, "sets": found},
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
