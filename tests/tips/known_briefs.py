"""Briefs of data sets that are well known, and what a driver does: answer every question and ask again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fieldcraft.plan.schema import (
    Cnn,
    ImageInput,
    Imported,
    Ladder,
    MultiLabel,
    Network,
    Plan,
    Regression,
    Rung,
    SingleLabel,
    TableInput,
)
from fieldcraft.records.brief import Brief
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
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, Tip

MACHINE = MachineFacts(
    processor="a processor",
    cores=2,
    memory_mib=16_000,
    free_mib=8_000,
    instruction_sets=("avx2", "avx512f", "avx512_bf16"),
    bf16=True,
    gpu=None,
    gpu_memory_mib=0,
    tuned_start=True,
)
OWN = Imported(target="mine.nets:Net")


def found(value: Any) -> Fact[Any]:
    return Fact(value=value, method="given", sample="all")


def images(height: int, width: int, channels: int) -> ImageFacts:
    return ImageFacts(
        height=found((height,) * 3),
        width=found((width,) * 3),
        channels=channels,
        depth_bits=8,
        mean=found((100.0,) * channels),
        std=found((50.0,) * channels),
    )


def rows(width: int) -> TableFacts:
    return TableFacts(numeric=width, categorical=0, dates=0, left_out=(), width=width, missing=found(0.0))


def brief(
    inputs: ImageFacts | TableFacts,
    *,
    train: int,
    outputs: int = 10,
    seconds: float | None = 60.0,
    task: Task = "single-label",
    machine: MachineFacts = MACHINE,
) -> Brief:
    counts = () if task == "regression" else (train // outputs,) * outputs
    target = TargetFacts(
        task=task,
        outputs=outputs,
        names=tuple(f"name-{index}" for index in range(outputs)),
        counts=found(counts),
        imbalance=None if task == "regression" else found(1.0),
    )
    data = DataFacts(
        name="known",
        digest="0" * 16,
        samples=2 * train,
        train=train,
        validation=train // 2,
        test=train - train // 2,
        grouped=False,
        duplicates=found(0),
        target=target,
        inputs=inputs,
    )
    return Brief(facts=Facts(data=data, machine=machine, budget=Budget(seconds=seconds)))


DIGITS = brief(images(8, 8, 1), train=1_221)
MNIST = brief(images(28, 28, 1), train=51_000, seconds=180.0)
CIFAR10 = brief(images(32, 32, 3), train=9_000, seconds=180.0)
PHOTOGRAPHS = brief(images(224, 224, 3), train=3_000, outputs=3, seconds=600.0)
BREAST_CANCER = brief(rows(30), train=386, outputs=2)
DIABETES = brief(rows(10), train=300, outputs=1, task="regression")
KNOWN = {
    "digits": DIGITS,
    "mnist": MNIST,
    "cifar10": CIFAR10,
    "photographs": PHOTOGRAPHS,
    "breast-cancer": BREAST_CANCER,
    "diabetes": DIABETES,
}


def start(known: Brief) -> Plan:
    """The plan before any tip."""
    task = {"single-label": SingleLabel, "multi-label": MultiLabel, "regression": Regression}[known.task]()
    if known.images is None:
        return Plan(task=task, input=TableInput())
    height, width = known.images.height.value[1], known.images.width.value[1]
    return Plan(task=task, input=ImageInput(height=height, width=width, channels=known.images.channels))


def with_rungs(plan: Plan, *networks: Network) -> Plan:
    """A plan with these networks, small to large."""
    rungs = tuple(
        Rung(name=f"rung-{index}", network=network, steps=1, lr=1e-3) for index, network in enumerate(networks)
    )
    return replace(plan, ladder=Ladder(rungs=rungs))


def cnn_plan(known: Brief, **fields: object) -> Plan:
    return with_rungs(start(known), Cnn(**fields))  # type: ignore[arg-type]


def with_machine(known: Brief, **fields: object) -> Brief:
    machine = replace(known.facts.machine, **fields)  # type: ignore[arg-type]
    return Brief(facts=replace(known.facts, machine=machine))


def with_train(known: Brief, train: int) -> Brief:
    return Brief(facts=replace(known.facts, data=replace(known.facts.data, train=train)))


def with_budget(known: Brief, seconds: float | None) -> Brief:
    return Brief(facts=replace(known.facts, budget=Budget(seconds=seconds)))


def with_outputs(known: Brief, outputs: int) -> Brief:
    target = replace(
        known.facts.data.target,
        outputs=outputs,
        names=tuple(f"name-{index}" for index in range(outputs)),
        counts=found((5,) * outputs),
    )
    return Brief(facts=replace(known.facts, data=replace(known.facts.data, target=target)))


def answered(known: Brief, asked: Ask, milliseconds: Callable[[StepTime], float]) -> Brief:
    """The brief with every question answered."""
    answers = {question.key: found(milliseconds(question)) for question in asked.measurements}
    return Brief(facts=replace(known.facts, measured={**known.facts.measured, **answers}))


def settle(
    tip: Tip, known: Brief, plan: Plan, milliseconds: Callable[[StepTime], float] = lambda _: 10.0
) -> tuple[Applied | Skipped, Brief]:
    """The tip's decision once all that it asks for was answered, and the brief with the answers."""
    for _ in range(5):
        decision = tip.decide(known, plan)
        if not isinstance(decision, Ask):
            return decision, known
        known = answered(known, decision, milliseconds)
    raise AssertionError(f"{tip.name} never stops asking")


def applied(tip: Tip, known: Brief, plan: Plan, milliseconds: Callable[[StepTime], float] = lambda _: 10.0) -> Plan:
    """The plan after a tip that must apply."""
    decision, _ = settle(tip, known, plan, milliseconds)
    assert isinstance(decision, Applied), decision
    return decision.plan


def skipped(tip: Tip, known: Brief, plan: Plan) -> str:
    """The reason of a tip that must stay out."""
    decision, _ = settle(tip, known, plan)
    assert isinstance(decision, Skipped), decision
    return decision.because
