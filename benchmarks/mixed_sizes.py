"""Images of mixed sizes: buckets against one size, each with the mean and with a pyramid as its head.

Each seed parts the data anew; arms share the split, the recipe, the network and the number of steps, and are judged on
validation alone. The network is the planner's largest, narrowed so that all of it ends in minutes.
Usage: python benchmarks/mixed_sizes.py SOURCE STEPS SEEDS [EDIT ...]
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
from fieldcraft.errors import DataError
from fieldcraft.plan.edit import edit
from fieldcraft.plan.schema import Cnn, ImageInput, Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.records.fact import Fact
from fieldcraft.tips import ALL
from fieldcraft.tips.draft import draft
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.evaluate import outputs
from fieldcraft.verbs.prepare import Wardrobe, known, prepare
from fieldcraft.verbs.samples import Samples
from result import summary, write

WIDTHS = (8, 16, 32, 32, 32, 32)
LEVELS = (1, 2)
ARMS: Mapping[str, tuple[bool, bool]] = {
    "one size": (False, False),
    "one size, pyramid": (False, True),
    "buckets": (True, False),
    "buckets, pyramid": (True, True),
}
"""Whether images are in buckets, and whether the head is a pyramid."""


def trained(network: Network, plan: Plan, samples: Samples) -> tuple[float, float]:
    """Share of right answers on validation after the steps of the plan's last rung, and the seconds they took."""
    machine, rung = engine(plan.execution), plan.ladder.rungs[-1]
    net = build_network(
        network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation, seed=plan.seed,
        name="arm",
    )  # fmt: skip
    course, loss_of = Course.of(rung, plan.schedule), build_loss(plan.task, samples.counts())
    optimiser = build_optimiser(net, plan.optimiser, rung.lr)
    batches = samples.batches("train", plan, machine.device, name="arm", augment=True)
    began = time.perf_counter()
    for step in range(rung.steps):
        for group in optimiser.param_groups:
            group["lr"] = course.rate(step)
        batch = batches.training_batch(step)
        loss_of(net(batch.inputs), batch.targets).backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    seconds = time.perf_counter() - began
    said = outputs(net, batches.of_rows(samples.parts.validation), machine, exact=True).argmax(axis=1)
    return float((said == samples.truth("validation")).mean()), seconds


def drafted(brief: Brief, start: Plan, steps: int, edits: tuple[str, ...]) -> Plan:
    """The planner's recipe, its largest network narrowed, without measurements.

    Raises: DataError when the planner chooses no buckets.
    """
    slow = Fact(value=10.0, method="assumed", sample="none")
    found = draft(
        brief, start, ALL, measure=lambda asked: {one.key: slow for one in asked}, edits=edits,
        without=frozenset({"worth-a-network", "learning-rate", "initialisation"}),
    )  # fmt: skip
    plan, rung = found.plan, found.plan.ladder.rungs[-1]
    assert isinstance(plan.input, ImageInput) and isinstance(rung.network, Cnn | ResNet)
    if not plan.input.buckets:
        why = next(one.because for one in found.decisions if one.tip == "size-buckets")
        raise DataError(f"no buckets for these images: {why}.")
    network = replace(rung.network, widths=WIDTHS[: len(rung.network.widths)])
    rung = replace(rung, network=network, steps=steps, cool_downs=())
    return replace(
        plan, ladder=replace(plan.ladder, rungs=(rung,)),
        execution=replace(plan.execution, threads=1, precision="fp32"),
    )  # fmt: skip


def main(source: str, steps: str, seeds: str, *edits: str) -> None:
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {arm: [] for arm in ARMS}
    seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    buckets: list[str] = []
    for seed in range(int(seeds)):
        prepared = prepare(source, ReadOptions(), seed=seed, edits=edits)
        plan = edit(drafted(Brief(facts=known(prepared, 600.0)), prepared.start, int(steps), edits), edits)
        assert isinstance(plan.input, ImageInput)
        buckets = [f"{one.height}x{one.width}" for one in plan.input.buckets]
        base = plan.ladder.rungs[-1].network
        assert isinstance(base, Cnn | ResNet)
        with TemporaryDirectory() as cache:
            wardrobe = Wardrobe(prepared, Path(cache))
            for arm, (several, pyramid) in ARMS.items():
                one = plan if several else replace(plan, input=replace(plan.input, buckets=()))
                network = replace(base, head="pyramid", levels=LEVELS) if pyramid else base
                right, took = trained(network, one, wardrobe.samples(one))
                found[arm].append(100 * right)
                seconds[arm].append(took)
                print(f"seed {seed} {arm}: {100 * right:.2f} in {took:.0f} s", file=sys.stderr, flush=True)
    first = next(iter(ARMS))
    write(
        f"mixed_sizes_{Path(source).name}",
        f"validation accuracy in per cent after {steps} steps; gains are paired with {first!r}; buckets: {buckets}",
        {
            arm: {
                "accuracy": summary(values),
                "gain": summary([a - b for a, b in zip(values, found[first], strict=True)]),
                "seconds": summary(seconds[arm]),
            }
            for arm, values in found.items()
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
