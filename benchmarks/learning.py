"""How it learns, arm by arm: clipping, dropout, stochastic depth, schedules, early stop, rates; paired over seeds.

Each arm is the drafted plan with one edit, at a fixed number of steps, on validation alone: the test part is never
looked at. Run: python benchmarks/learning.py digits 600 5 (data set, steps, seeds) [arm ...]
"""

import json
import sys
import tempfile
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import numpy as np

from fieldcraft.build.clipping import build_clipping
from fieldcraft.build.loss import build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.build.regime import build_regime
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import Diverged
from fieldcraft.plan.edit import edit
from fieldcraft.plan.schema import Plan
from fieldcraft.train.clock import Clock
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.journal import Journal
from fieldcraft.train.loop import Job, Surroundings, train
from fieldcraft.verbs.draft import CACHE, decide
from fieldcraft.verbs.first_patches import first_patches
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.prepare import Wardrobe, known, prepare
from fieldcraft.verbs.rung import network_outputs

LARGE = "ladder.rungs.large"
ARMS: dict[str, tuple[str, ...]] = {
    "as drafted": (),
    "rate / 4": ("rate / 4",),
    "rate / 2": ("rate / 2",),
    "rate x 2": ("rate x 2",),
    "clip norm 1": ('clipping={kind="norm",most=1.0}',),
    "autoclip 10 %": ('clipping={kind="auto"}',),
    "autoclip 50 %": ('clipping={kind="auto",percentile=50.0}',),
    "adaptive clip": ('clipping={kind="adaptive"}',),
    "no norm": (f"{LARGE}.network.norm=none", "rate / 10"),
    "no norm, clip norm 1": (f"{LARGE}.network.norm=none", "rate / 10", 'clipping={kind="norm",most=1.0}'),
    "no norm, adaptive clip": (f"{LARGE}.network.norm=none", "rate / 10", 'clipping={kind="adaptive"}'),
    "no norm, autoclip 10 %": (f"{LARGE}.network.norm=none", "rate / 10", 'clipping={kind="auto"}'),
    "no norm, full rate": (f"{LARGE}.network.norm=none",),
    "no norm, full rate, adaptive clip": (f"{LARGE}.network.norm=none", 'clipping={kind="adaptive"}'),
    "dropout 0.1": (f"{LARGE}.network.dropout=0.1",),
    "dropout 0.3": (f"{LARGE}.network.dropout=0.3",),
    "drop path 0.1": (f"{LARGE}.network.drop_path=0.1",),
    "drop path 0.2": (f"{LARGE}.network.drop_path=0.2",),
    "cosine, 5 % up": ('schedule={kind="cosine",warm_up=0.05}',),
    "steps": ('schedule={kind="step",warm_up=0.05}',),
    "restarts": ('schedule={kind="restarts",warm_up=0.05}',),
    "plateau": ('schedule={kind="plateau",warm_up=0.05}',),
    "patience 3": ('stopping={kind="patience"}',),
    "rmsprop": ('optimiser={kind="rmsprop",weight_decay=0.0005,decay_norms_and_biases=false}', "rate = 0.001"),
    "adamw": ('optimiser={kind="adamw",weight_decay=0.05,decay_norms_and_biases=false}', "rate = 0.002"),
}


def main(name: str, steps: int, seeds: int, only: list[str]) -> None:
    """One JSON line an arm: values, mean difference to the plan as drafted, its standard error."""
    data = _data(name)
    edits = ["execution.threads=1", "splits.validation=0.5"]
    prepared = prepare(data, ReadOptions(), seed=0, edits=edits)
    wardrobe = Wardrobe(prepared, CACHE)
    drafted = decide(prepared, known(prepared, None), wardrobe, edits).plan
    rung = replace(drafted.ladder.rungs[-1], name="large", steps=steps)
    plan = replace(drafted, ladder=replace(drafted.ladder, rungs=(rung,)))
    found: dict[str, list[tuple[float, float]]] = {}
    for arm in dict.fromkeys(["as drafted", *(only or ARMS)]):
        changed = edit(plan, [_rated(one, rung.lr) for one in ARMS[arm]])
        found[arm] = [trained(replace(changed, seed=seed), wardrobe) for seed in range(seeds)]
        line: dict[str, object] = {"data": name, "steps": steps, "arm": arm}
        for place, metric in enumerate(("accuracy", "log-loss")):
            values = [one[place] for one in found[arm]]
            gains = [new - old[place] for new, old in zip(values, found["as drafted"], strict=True)]
            error = stdev(gains) / sqrt(len(gains)) if len(gains) > 1 else float("nan")
            line[metric] = {"mean": fmean(values), "gain": fmean(gains), "error": error, "values": values}
        print(json.dumps(line), flush=True)


def trained(plan: Plan, wardrobe: Wardrobe) -> tuple[float, float]:
    """Accuracy and log-loss on validation after training the plan's one rung."""
    samples, rung, machine = wardrobe.samples(plan), plan.ladder.rungs[0], engine(plan.execution)
    judge = Judge(plan=plan, samples=samples)
    net = build_network(
        rung.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation,
        seed=plan.seed, name=rung.name, patches=first_patches(samples, plan),
    )  # fmt: skip
    net = machine.place(net)
    batches = samples.batches("train", plan, machine.device, name=rung.name, augment=True)
    seen = replace(batches, rows=samples.parts.validation)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(
            rung=rung.name, net=net, optimiser=build_optimiser(net, plan.optimiser, rung.lr),
            regime=build_regime(plan.regime, build_loss(plan.task)), batches=batches,
            course=Course.of(rung, plan.schedule), seed=plan.seed, decay=plan.averaging.decay, micro=None,
            validate=lambda shadow: judge.value(network_outputs(shadow, seen, samples, machine, exact=False)),
            names=lambda rows: (), clip=build_clipping(net, plan.clipping), stopping=plan.stopping,
        )  # fmt: skip
        around = Surroundings(
            engine=machine, journal=Journal(Path(folder) / "journal.jsonl"), checkpoint=Path(folder) / "checkpoint",
            hooks=(), clock=Clock(budget_s=None, started=0.0), reserve_s=0.0, stop=lambda: False, say=lambda _: None,
        )  # fmt: skip
        try:
            net.load_state_dict(train(job, around).weights)
        except Diverged:
            return float("nan"), float("nan")
    outputs = network_outputs(net, seen, samples, machine, exact=True)
    truth = samples.truth("validation")
    logits = outputs - outputs.max(1, keepdims=True)
    nats = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(truth)), truth.astype(int)]
    return judge.value(outputs), float(nats.mean())


def _rated(assignment: str, lr: float) -> str:
    """`rate / 2` as an edit."""
    words = assignment.split()
    if words[0] != "rate":
        return assignment
    value = float(words[2])
    return f"{LARGE}.lr={ {'/': lr / value, 'x': lr * value, '=': value}[words[1]] }"


def _data(name: str) -> object:
    """A built-in name or a path, or X.npy,y.npy; every fifth sample alone with :5 after it."""
    path, _, every = name.partition(":")
    if "," not in path:
        return path
    x, y = (np.load(part)[:: int(every or 1)] for part in path.split(","))
    return x, y


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
