"""What parts of a network gain in the same number of steps: norms at small batches, gates, pyramid, separable steps.

Each seed parts the data anew; arms share the split, the order of the samples and the steps, and are judged on
validation alone. The network is the planner's largest, narrowed so that all of it ends in minutes.
Usage: python benchmarks/network_parts.py {norms|batch-or-group|parts} SOURCE BATCH STEPS SEEDS [EDIT ...]
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from fieldcraft.build.loss import build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.plan.edit import edit
from fieldcraft.plan.schema import Batch, Network, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.records.fact import Fact
from fieldcraft.tips import ALL
from fieldcraft.tips.draft import draft
from fieldcraft.tips.rough import macs
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.evaluate import outputs
from fieldcraft.verbs.first_patches import first_patches
from fieldcraft.verbs.prepare import known, prepare
from fieldcraft.verbs.samples import Samples, ready
from result import summary, write

WIDTHS = (8, 16, 32, 32, 32)
NORMS: Mapping[str, dict[str, object]] = {kind: {"norm": kind} for kind in ("batch", "group", "layer", "instance")}
PARTS: Mapping[str, dict[str, object]] = {
    "as drafted": {},
    "squeeze-excitation": {"squeeze_excitation": 8},
    "pyramid (1, 2)": {"head": "pyramid", "levels": (1, 2)},
    "separable": {"separable": True},
}
ARMS = {"norms": NORMS, "batch-or-group": {kind: NORMS[kind] for kind in ("batch", "group")}, "parts": PARTS}


def trained(network: Network, plan: Plan, samples: Samples, steps: int) -> tuple[float, float]:
    """Share of right answers on validation after so many steps, and the seconds they took."""
    machine = engine(plan.execution)
    net = build_network(
        network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation, seed=plan.seed,
        name="arm", patches=first_patches(samples, plan),
    )  # fmt: skip
    rung = replace(plan.ladder.rungs[-1], steps=steps)
    course, loss_of = Course.of(rung, plan.schedule), build_loss(plan.task)
    optimiser = build_optimiser(net, plan.optimiser, rung.lr)
    batches = samples.batches("train", plan, machine.device, name="arm", augment=True)
    began = time.perf_counter()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = course.rate(step)
        batch = batches.training_batch(step)
        loss_of(net(batch.inputs), batch.targets).mean().backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    seconds = time.perf_counter() - began
    said = outputs(net, replace(batches, rows=samples.parts.validation), machine, exact=True).argmax(axis=1)
    return float((said == samples.truth("validation")).mean()), seconds


def drafted(brief: Brief, start: Plan, batch: int, seed: int) -> Plan:
    """The planner's recipe for a batch of this size, without measurements and with all its networks."""
    edits = [f"batch.size={batch}", f"seed={seed}"]
    slow = Fact(value=10.0, method="assumed", sample="none")
    plan = draft(
        brief, start, ALL, measure=lambda asked: {one.key: slow for one in asked}, edits=edits,
        without=frozenset({"worth-a-network", "learning-rate", "short-ladder"}),
    ).plan  # fmt: skip
    return replace(plan, batch=Batch(size=batch), execution=replace(plan.execution, threads=1, precision="fp32"))


def main(which: str, source: str, batch: str, steps: str, seeds: str, *edits: str) -> None:
    torch.set_num_threads(1)
    arms = ARMS[which]
    found: dict[str, list[float]] = {arm: [] for arm in arms}
    seconds: dict[str, list[float]] = {arm: [] for arm in arms}
    costs: dict[str, int] = {}
    for seed in range(int(seeds)):
        prepared = prepare(source, ReadOptions(), seed=seed, edits=edits)
        brief = Brief(facts=known(prepared, 180.0))
        plan = edit(drafted(brief, prepared.start, int(batch), seed), edits)
        with TemporaryDirectory() as cache:
            samples = ready(prepared.dataset, prepared.parts, plan, Path(cache))
            base = plan.ladder.rungs[-1].network
            base = replace(base, widths=WIDTHS[: len(base.widths)])
            for arm, fields in arms.items():
                network = replace(base, **fields)
                right, took = trained(network, plan, samples, int(steps))
                costs[arm] = macs(network, brief, plan.input)
                found[arm].append(100 * right)
                seconds[arm].append(took)
                print(f"{source} seed {seed} {arm}: {100 * right:.2f} in {took:.0f} s", file=sys.stderr, flush=True)
    first = next(iter(arms))
    name = f"{which}_{Path(source).name}_{batch}"
    write(
        f"network_{name}",
        f"validation accuracy in per cent after {steps} steps of {batch} samples; gains are paired with {first!r}",
        {
            arm: {
                "macs": costs[arm],
                "accuracy": summary(values),
                "gain": summary([a - b for a, b in zip(values, found[first], strict=True)]),
                "seconds": summary(seconds[arm]),
            }
            for arm, values in found.items()
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
