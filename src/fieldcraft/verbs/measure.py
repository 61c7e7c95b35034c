"""Answering what tips ask: training steps and predictions of planned networks, timed on this machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from fieldcraft.build.loss import build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.build.regime import build_regime
from fieldcraft.data.loader import Batches
from fieldcraft.data.patches.loader import PatchBatches
from fieldcraft.errors import PlanError
from fieldcraft.fingerprint.step_time import interleaved
from fieldcraft.plan.schema import Execution, ImageInput, Plan, Rung
from fieldcraft.records.fact import Fact
from fieldcraft.regimes.interface import Regime
from fieldcraft.tips.interface import PredictionTime, StepTime
from fieldcraft.tips.phases import only_size
from fieldcraft.train.averaging import Average
from fieldcraft.train.engine import Engine, engine
from fieldcraft.verbs.masks.rung import built as built_masks
from fieldcraft.verbs.masks.rung import mask_regime
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.samples import Samples

STEPS_TOGETHER = 4
"""On a GPU."""


@dataclass(frozen=True)
class StepTimer:
    """Times whole training steps (batch, forward, backward, optimiser, average), and single predictions.

    Nothing is compiled here, whatever a plan says: that is tried in a process of its own (`compiled_step`).
    """

    samples: Callable[[Plan], Samples | MaskSamples]
    """Samples as a plan wants them."""
    limit_s: float
    """For all measurements of one question."""

    def __call__(self, measurements: tuple[StepTime | PredictionTime, ...]) -> Mapping[str, Fact[float]]:
        """The answers, by key; candidates that this machine cannot run are missing."""
        steps: dict[str, Callable[[], None]] = {}
        for one in measurements:
            try:
                steps[one.key] = self._step(one) if isinstance(one, StepTime) else self._prediction(one)
            except PlanError:
                if one.plan.execution.device == "cpu":
                    raise
        answers = interleaved(steps, limit_s=self.limit_s)
        for one in {question.key: question for question in measurements}.values():
            if isinstance(one, StepTime) and one.key in answers:
                fact = answers[one.key]
                answers[one.key] = replace(fact, value=fact.value / together(one.plan.execution))
        for one in measurements[:1]:
            engine(one.plan.execution)
        return answers

    def _step(self, question: StepTime) -> Callable[[], None]:
        plan, rung = question.plan, question.plan.ladder.rungs[question.rung]
        samples = self.samples(plan)
        machine = engine(plan.execution)
        if isinstance(samples, MaskSamples):
            built = built_masks(rung, plan, samples, machine, name="measure")
            patches = samples.batches(plan, machine.device, built.wants, name="measure")
            return training_step(
                plan, rung, built.net, patches, machine, mask_regime(plan, samples, built.net, machine),
                times=together(plan.execution),
            )  # fmt: skip
        net = build_network(
            rung.network, shape=samples.shape, outputs=samples.outputs, seed=plan.seed, name="measure",
            initialisation=plan.initialisation, read_weights=False,
        )  # fmt: skip
        batches = samples.batches("train", plan, machine.device, name="measure", augment=True)
        if isinstance(plan.input, ImageInput) and (alone := only_size(plan.input)) is not None:
            batches = batches.at_side(alone)
        regime = build_regime(plan.regime, build_loss(plan.task, samples.counts(), device=machine.device))
        return training_step(
            plan, rung, machine.place(net), batches.typical(), machine, regime, times=together(plan.execution)
        )

    def _prediction(self, question: PredictionTime) -> Callable[[], None]:
        plan, rung = question.plan, question.plan.ladder.rungs[question.rung]
        samples = self.samples(plan)
        net = build_network(
            rung.network, shape=samples.shape, outputs=samples.outputs, seed=plan.seed, name="measure",
            initialisation=plan.initialisation, masks=isinstance(samples, MaskSamples), read_weights=False,
        ).eval()  # fmt: skip
        one_sample = torch.zeros(1, *samples.shape)

        @torch.no_grad()
        def predict() -> None:
            if torch.get_num_threads() != plan.execution.threads:
                torch.set_num_threads(plan.execution.threads)
            net(one_sample)

        return predict


def training_step(
    plan: Plan, rung: Rung, net: nn.Module, batches: Batches | PatchBatches, machine: Engine, regime: Regime,
    *, through: nn.Module | None = None, times: int = 1,
) -> Callable[[], None]:  # fmt: skip
    """What takes the next training steps of a network until its device is done, at a rate that changes next to nothing.

    `times`: how many; one, unless it is said.
    `through`: what batches pass through in the network's place, such as a compiled form of it.
    """
    optimiser = build_optimiser(net, plan.optimiser, rung.lr * 1e-6)
    average = Average(net, plan.averaging.decay) if plan.averaging.decay else None
    asked = through or net
    taken = 0

    def steps() -> None:
        for _ in range(times):
            step()
        if machine.device.type == "cuda":
            torch.cuda.synchronize()

    def step() -> None:
        nonlocal taken
        if torch.get_num_threads() != plan.execution.threads:
            torch.set_num_threads(plan.execution.threads)
        batch = batches.training_batch(taken)
        for part in batch.parts(plan.batch.micro or len(batch.rows)):
            with machine.precision():
                loss = regime.step(asked, part).total
            machine.backward(loss)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if average is not None:
            average.update(taken)
        taken += 1

    return steps


def together(execution: Execution) -> int:
    """Steps that are timed as one: while a GPU takes a step the next one is prepared, as in training."""
    return STEPS_TOGETHER if execution.device == "cuda" else 1
