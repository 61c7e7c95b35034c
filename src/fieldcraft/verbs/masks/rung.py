"""One network of masks: built, trained in its share of the time, and judged on validation, case by case."""

from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from fieldcraft.build.clipping import build_clipping
from fieldcraft.build.loss import build_loss
from fieldcraft.build.mask_network import Wants, wants
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.build.pretrained.take_over import paces
from fieldcraft.build.regime import build_regime
from fieldcraft.data.order import Rows
from fieldcraft.plan.masks import MaskLoss, Segmentation
from fieldcraft.plan.schema import Imported, Patience, Plan, Plateau, Rung
from fieldcraft.prediction.masks.ask import Asker
from fieldcraft.records.facts import Facts
from fieldcraft.records.results import Candidate
from fieldcraft.regimes.interface import Regime
from fieldcraft.report.metrics import spoken
from fieldcraft.train.course import Course
from fieldcraft.train.engine import Engine, engine
from fieldcraft.train.loop import Job, Outcome
from fieldcraft.train.pacing import most_steps
from fieldcraft.verbs.candidates import Judged, keep
from fieldcraft.verbs.judge import Outputs
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.memory import patches_at_once, step_memory
from fieldcraft.verbs.masks.samples import MaskSamples, levels_of
from fieldcraft.verbs.masks.time_after import Predictions, predictions_after, warm_seconds
from fieldcraft.verbs.masks.whole import labels_on_own_grid
from fieldcraft.verbs.rung import carried_out, journalled, keep_weights, note_of
from fieldcraft.verbs.work import Work

LOOKED_AT = 8
"""Validation cases that are predicted at each look in the course of a rung; all of them at its end."""

CHEAP_OVERLAP = 0.25
"""Of windows, at these looks."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Built:
    """A network with what goes with it."""

    net: nn.Module
    wants: Wants


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedMasks:
    """A network of masks at the end of its training."""

    built: Built
    """With the weights that the plan wants kept."""
    outcome: Outcome
    machine: Engine
    step_mib: float | None
    """What a training step is expected to take on the CPU; None where that was not looked at."""

    @property
    def parameters(self) -> int:
        """How many weights the network has."""
        return sum(value.numel() for value in self.built.net.parameters())


def built(rung: Rung, plan: Plan, samples: MaskSamples, machine: Engine, *, name: str) -> Built:
    """The network of a rung with its starting weights, on its device."""
    net = build_network(
        rung.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation,
        seed=plan.seed, name=name, masks=True,
    )  # fmt: skip
    found = wants(net, samples.spatial, own=isinstance(rung.network, Imported))
    return Built(net=machine.place(net), wants=found)


def asker(net: nn.Module, found: Wants, plan: Plan, samples: MaskSamples, machine: Engine) -> Asker:
    """The network as predictions ask it."""
    assert isinstance(plan.task, Segmentation)
    return Asker(net=net, wants=found, patch=samples.sample.patch, masks=plan.task.masks, device=machine.device)


def table(asked: Asker, judge: MaskJudge, rows: Rows, machine: Engine, *, exact: bool) -> Outputs:
    """The metric of each class of some cases."""
    samples = judge.samples
    found = []
    for row in map(int, rows):
        if exact:
            logits = asked.logits(samples.image(row), samples.scaling(row))
        else:
            with machine.precision():
                logits = asked.logits(samples.image(row), samples.scaling(row))
        found.append(judge.row(row, labels_on_own_grid(logits, samples, row)))
    return np.stack(found)


def train_mask_network(
    index: int, plan: Plan, facts: Facts, judge: MaskJudge, work: Work, *,
    order_seed: int | None = None, watched: bool = True, predictions: Predictions | None = None,
) -> TrainedMasks:  # fmt: skip
    """Train the network of one rung, or go on where it was killed.

    `order_seed`: draws patches and their changes alone. `watched`: look at validation on the way, also where nothing in
    the plan follows what is seen there. `predictions`: made once it has ended; the time for them is kept.
    Raises: Stopped when asked to stop; Diverged when the loss stays no number.
    """
    rung, samples = plan.ladder.rungs[index], judge.samples
    machine = engine(plan.execution)
    network = built(rung, plan, samples, machine, name=rung.name)
    job, step_mib = _job(index, plan, judge, network, machine, work, order_seed)
    if not watched and not follows_validation(plan):
        job = replace(job, validate=None)
    budget_s, after_s = work.clock.budget_s, 0.0
    if predictions is not None and budget_s is not None:
        asked, first = asker(network.net, network.wants, plan, samples, machine), samples.parts.validation[:1]
        after_s = predictions.seconds(warm_seconds(lambda: table(asked, judge, first, machine, exact=True)), budget_s)
    outcome = carried_out(job, index, plan, facts, machine, work, after_s=after_s)
    network.net.load_state_dict(outcome.weights)
    return TrainedMasks(built=network, outcome=outcome, machine=machine, step_mib=step_mib)


def follows_validation(plan: Plan) -> bool:
    """Whether looks at validation decide how a training goes on."""
    return isinstance(plan.stopping, Patience) or isinstance(plan.schedule, Plateau)


def train_masks(index: int, plan: Plan, facts: Facts, judge: MaskJudge, judged: list[Judged], work: Work) -> Judged:
    """Train one rung, or go on where it was killed; its weights and its record are on disk when this returns.

    Raises: Stopped when asked to stop; Diverged when the loss stays no number.
    """
    rung, samples = plan.ladder.rungs[index], judge.samples
    trained = train_mask_network(index, plan, facts, judge, work, predictions=predictions_after(index, plan, samples))
    network, outcome = trained.built, trained.outcome
    keep_weights(rung.name, outcome, work)
    asked = asker(network.net, network.wants, plan, samples, trained.machine)
    found = table(asked, judge, samples.parts.validation, trained.machine, exact=True)
    done = Judged(
        candidate=Candidate(
            name=rung.name, kind="rung", validation=judge.value(found), noise=judge.noise(found, judged),
            seconds=outcome.seconds, sample=f"patches of all {len(samples.parts.train):,} training cases",
            copy_of=rung.copy_of, parameters=trained.parameters, steps=outcome.steps,
            planned_steps=rung.steps, note=note_of(rung, outcome, work),
        ),
        outputs=found,
    )  # fmt: skip
    keep(work.folder.rungs, done)
    work.tick(f"rung {rung.name}")
    told = f"{spoken(judge.metric)} {done.candidate.validation:.4g} on validation"
    work.say(f"{rung.name}: {told} after {outcome.steps} steps")
    return done


def _job(
    index: int, plan: Plan, judge: MaskJudge, network: Built, machine: Engine, work: Work, order_seed: int | None
) -> tuple[Job, float | None]:
    rung, samples = plan.ladder.rungs[index], judge.samples
    batches = samples.batches(plan, machine.device, network.wants, name=rung.name, seed=order_seed)
    regime = mask_regime(plan, samples, network.net, machine)
    decided = journalled(rung, work)
    smaller = decided.smaller
    begun = (work.folder.checkpoints / f"{rung.name}.safetensors").exists()
    step_mib = None
    if machine.device.type == "cpu" and not smaller and not begun:
        step = step_memory(network.net, network.wants, samples, samples.sample.patch)
        if step is not None:
            smaller = patches_at_once(rung, plan, step, samples.sample.patch, work)
            step_mib = step.total_mib(min([plan.batch.micro or plan.batch.size, *(one.size for one in smaller)]))
    asked = asker(network.net, network.wants, plan, samples, machine)
    cheap = replace(asked, masks=replace(asked.masks, mirror=(), overlap=CHEAP_OVERLAP))
    looked_at = samples.parts.validation[:: -(-len(samples.parts.validation) // LOOKED_AT)]
    job = Job(
        rung=rung.name,
        net=network.net,
        optimiser=build_optimiser(network.net, plan.optimiser, rung.lr, paces(network.net, rung.network)),
        regime=regime,
        batches=batches,
        course=Course.of(rung, plan.schedule, decided.ends),
        most_steps=most_steps(rung),
        seed=plan.seed,
        decay=plan.averaging.decay,
        micro=plan.batch.micro,
        clip=build_clipping(network.net, plan.clipping),
        stopping=plan.stopping,
        higher=judge.higher_is_better,
        smaller=smaller,
        back_offs=decided.back_offs,
        validate=lambda shadow: judge.value(table(replace(cheap, net=shadow), judge, looked_at, machine, exact=False)),
        names=lambda rows: tuple(samples.ids("train")[row] for row in rows),
    )
    return job, step_mib


def mask_regime(plan: Plan, samples: MaskSamples, net: nn.Module, machine: Engine) -> Regime:
    """How a network of masks learns: the plan's loss, over the levels at which it answers."""
    assert isinstance(plan.task, Segmentation)
    weighs = isinstance(plan.task.loss, MaskLoss) and plan.task.loss.class_weights != "none"
    loss = build_loss(
        plan.task,
        samples.counts() if weighs else None,
        device=machine.device,
        levels=levels_of(net),
        spacing=samples.spacing(int(samples.parts.train[0])),
    )
    return build_regime(plan.regime, loss)
