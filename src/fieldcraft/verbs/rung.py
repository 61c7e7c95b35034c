"""One rung of the ladder: its network is built, trained for its share of the time, and judged on validation."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt
from safetensors.torch import save
from torch import nn

from fieldcraft.build.clipping import build_clipping
from fieldcraft.build.loss import build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.build.pretrained.take_over import paces, thawing
from fieldcraft.build.regime import build_regime
from fieldcraft.data.loader import Batches
from fieldcraft.data.order import Rows
from fieldcraft.errors import Stopped
from fieldcraft.nn.views import Views
from fieldcraft.plan import schema
from fieldcraft.plan.memory import allowed_mib
from fieldcraft.plan.schema import CoolDown, ImageInput, Plan, Retiming, Rung
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import write_whole
from fieldcraft.records.results import Candidate
from fieldcraft.report.metrics import spoken
from fieldcraft.tips.interface import StepTime
from fieldcraft.tips.phases import as_timed, at_size, phases
from fieldcraft.train import memory
from fieldcraft.train.course import Course
from fieldcraft.train.engine import Engine, engine
from fieldcraft.train.evaluate import outputs
from fieldcraft.train.journal import BackedOff, Cooled, EarlyStop, RateCut, Retimed, SmallerMicro
from fieldcraft.train.loop import Job, Outcome, Surroundings, train
from fieldcraft.train.pacing import most_steps, own_s
from fieldcraft.train.sizes import Sizes
from fieldcraft.verbs.candidates import Judged, folder, keep
from fieldcraft.verbs.first_patches import first_patches
from fieldcraft.verbs.gap import gap, some_training_rows
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.samples import Samples
from fieldcraft.verbs.transfer import fit_head, pixels_of
from fieldcraft.verbs.work import Work

SLACK = 1.5  # times its planned share that a rung may take before it is cooled down in favour of those above it


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedNetwork:
    """A network at the end of its training, and what it takes to ask it."""

    net: nn.Module
    """With the weights that the plan wants kept."""
    views: tuple[schema.View, ...]
    """Of each image, whose predictions are averaged; empty: the image alone."""
    outcome: Outcome
    batches: Batches
    """It was trained on."""
    samples: Samples
    machine: Engine
    step_mib: float | None
    """What a training step is expected to take on the CPU; None where that was not looked at."""

    @property
    def parameters(self) -> int:
        """How many weights the network has."""
        return sum(value.numel() for value in self.net.parameters())

    def says(self, rows: Rows, *, exact: bool) -> npt.NDArray[np.float64]:
        """Its outputs for some samples, as `network_outputs` gives them; a GPU holds the samples once."""
        asked = Views(self.net, self.views) if self.views else self.net
        return network_outputs(asked, self.batches.of_rows(rows), self.samples, self.machine, exact=exact)


def train_network(
    index: int, plan: Plan, facts: Facts, judge: Judge, work: Work, *, order_seed: int | None = None
) -> TrainedNetwork:
    """Train the network of one rung, or go on where it was killed. `order_seed`: draws the order of the samples alone.

    Raises: Stopped when asked to stop; Diverged when the loss stays no number.
    """
    machine = engine(plan.execution)
    net, job, step_mib = _job(index, plan, facts, judge, machine, work, order_seed)
    outcome = carried_out(job, index, plan, facts, machine, work)
    net.load_state_dict(outcome.weights)
    assert isinstance(job.batches, Batches)
    views = plan.prediction.tta if plan.input.kind == "image" else ()
    return TrainedNetwork(
        net=net, views=views, outcome=outcome, batches=job.batches, samples=judge.samples, machine=machine,
        step_mib=step_mib,
    )  # fmt: skip


def carried_out(
    job: Job, index: int, plan: Plan, facts: Facts, machine: Engine, work: Work, *, after_s: float = 0.0
) -> Outcome:
    """Train for a rung's share of what is left of the time, or go on where it was killed.

    `after_s`: kept for predictions that only this kind of data needs, beside what every run keeps.
    Raises: Stopped when asked to stop; Diverged when the loss stays no number.
    """
    outcome = train(
        job,
        Surroundings(
            engine=machine,
            journal=work.journal,
            checkpoint=work.folder.checkpoints / f"{job.rung}.safetensors",
            hooks=work.hooks,
            clock=work.clock,
            reserve_s=_reserve_s(index, plan, facts, work, after_s, slack=SLACK),
            kept_s=_reserve_s(index, plan, facts, work, after_s, slack=1.0),
            stop=work.stop,
            say=work.say,
        ),
    )
    if not outcome.done:
        work.tick(f"rung {job.rung}")
        raise Stopped("")
    return outcome


def keep_weights(rung: str, outcome: Outcome, work: Work) -> None:
    """The weights of a rung on disk, whole."""
    write_whole(
        folder(work.folder.rungs, rung) / "model.safetensors",
        save({name: value.cpu().contiguous() for name, value in outcome.weights.items()}),
    )


def train_rung(index: int, plan: Plan, facts: Facts, judge: Judge, judged: list[Judged], work: Work) -> Judged:
    """Train one rung, or go on where it was killed; its weights and its record are on disk when this returns.

    Raises: Stopped when asked to stop; Diverged when the loss stays no number.
    """
    rung, samples = plan.ladder.rungs[index], judge.samples
    trained = train_network(index, plan, facts, judge, work)
    outcome = trained.outcome
    keep_weights(rung.name, outcome, work)
    found = trained.says(samples.parts.validation, exact=True)
    seen = some_training_rows(samples)
    done = Judged(
        candidate=Candidate(
            name=rung.name, kind="rung", validation=judge.value(found), noise=judge.noise(found, judged),
            seconds=outcome.seconds, sample=f"all {len(samples.parts.train):,} training samples",
            copy_of=rung.copy_of, parameters=trained.parameters, steps=outcome.steps,
            planned_steps=rung.steps,
            gap=gap(
                judge.metric, plan.task.kind,
                (samples.dataset.targets.values[seen], trained.says(seen, exact=False)),
                (samples.truth("validation"), found),
            ) if isinstance(plan.task.metric, str) else None,
            note=note_of(rung, outcome, work),
        ),
        outputs=found,
    )  # fmt: skip
    keep(work.folder.rungs, done)
    work.tick(f"rung {rung.name}")
    told = f"{spoken(judge.metric)} {done.candidate.validation:.4g} on validation"
    work.say(f"{rung.name}: {told} after {outcome.steps} steps")
    return done


def _job(
    index: int, plan: Plan, facts: Facts, judge: Judge, machine: Engine, work: Work, order_seed: int | None
) -> tuple[nn.Module, Job, float | None]:
    rung, samples = plan.ladder.rungs[index], judge.samples
    net = machine.place(
        build_network(
            rung.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation,
            seed=plan.seed, name=rung.name, patches=first_patches(samples, plan),
            pixels=pixels_of(samples, rung.network),
        )
    )  # fmt: skip
    batches = samples.batches("train", plan, machine.device, name=rung.name, augment=True)
    if order_seed is not None:
        batches = batches.drawn_by(order_seed)
    loss = build_loss(plan.task, samples.counts(), device=machine.device)
    regime = build_regime(plan.regime, loss)
    decided = journalled(rung, work)
    smaller = decided.smaller
    begun = (work.folder.checkpoints / f"{rung.name}.safetensors").exists()
    step_mib = None
    if machine.device.type == "cpu" and not smaller and not begun:
        wanted = min(plan.batch.micro or plan.batch.size, len(samples.parts.train))
        step = memory.predict(net, regime, batches.largest().training_batch(0).parts(2)[0], machine)
        smaller = fitting_micro(rung, wanted, step, allowed_mib(plan.execution, work.free_mib), work)
        step_mib = step.total_mib(min(wanted, *(one.size for one in smaller)) if smaller else wanted)
    if not begun and (said := fit_head(net, plan, rung.network, samples, batches, machine, loss)):
        work.note(f"{rung.name}: {said}")
    job = Job(
        rung=rung.name,
        net=net,
        optimiser=build_optimiser(net, plan.optimiser, rung.lr, paces(net, rung.network)),
        regime=regime,
        batches=batches,
        course=Course.of(rung, plan.schedule, decided.ends),
        most_steps=most_steps(rung),
        seed=plan.seed,
        decay=plan.averaging.decay,
        micro=plan.batch.micro,
        sizes=_sizes(index, plan, facts),
        clip=build_clipping(net, plan.clipping),
        thawing=thawing(net, rung.network),
        stopping=plan.stopping,
        higher=judge.higher_is_better,
        classes=samples.outputs if plan.task.kind == "single-label" else 0,
        smaller=smaller,
        back_offs=decided.back_offs,
        validate=lambda shadow: judge.value(
            network_outputs(shadow, _validation(batches, samples), samples, machine, exact=False)
        ),
        names=lambda rows: tuple(samples.dataset.ids[row] for row in rows),
    )
    return net, job, step_mib


@dataclass(frozen=True, kw_only=True)
class Journalled:
    """What was decided about a rung while it was trained."""

    ends: tuple[CoolDown | Retiming, ...]
    """Earlier and later ones, in their order, beside those of the plan."""
    smaller: tuple[schema.SmallerMicro, ...]
    """Steps from which fewer samples pass at once, those of the plan first."""
    back_offs: tuple[schema.BackOff, ...]
    """Steps from which the rate is smaller, those of the plan first."""


def journalled(rung: Rung, work: Work) -> Journalled:
    """What the journal says of a rung."""
    events = work.journal.read()
    ends = (
        (Retiming if isinstance(event, Retimed) else CoolDown)(at=event.at, end=event.end)
        for event in events
        if isinstance(event, Cooled | Retimed) and event.rung == rung.name
    )
    smaller = (
        schema.SmallerMicro(at=event.step, size=event.micro)
        for event in events
        if isinstance(event, SmallerMicro) and event.rung == rung.name
    )
    back_offs = (
        schema.BackOff(at=event.back_to, scale=event.lr_scale)
        for event in events
        if isinstance(event, BackedOff) and event.rung == rung.name
    )
    return Journalled(
        ends=tuple(ends), smaller=(*rung.smaller_micros, *smaller), back_offs=(*rung.back_offs, *back_offs)
    )


def fitting_micro(
    rung: Rung, wanted: int, step: memory.StepMemory, allowed_mib: float, work: Work
) -> tuple[schema.SmallerMicro, ...]:
    """The micro-batch for which the memory suffices, decided once, before a rung begins, and journalled."""
    fits = step.fitting(wanted, allowed_mib)
    if fits == wanted:
        return ()
    because = (
        f"{wanted} samples at once would take {step.total_mib(wanted):,.0f} MiB; {fits} pass at once and their "
        f"gradients are summed (batch norm sees {fits})"
    )
    work.journal.write(SmallerMicro(rung=rung.name, step=0, micro=fits, because=because))
    work.say(f"{rung.name}: {because}")
    return (schema.SmallerMicro(at=0, size=fits),)


def _validation(batches: Batches, samples: Samples) -> Batches:
    """The validation part out of the store that training draws from: a GPU holds the samples once."""
    return batches.of_rows(samples.parts.validation)


def network_outputs(
    net: nn.Module, batches: Batches, samples: Samples, machine: Engine, *, exact: bool
) -> npt.NDArray[np.float64]:
    """What a network says about the samples of some batches: logits, or numbers in target units; see `outputs`."""
    found = outputs(net, batches, machine, exact=exact).astype(np.float64)
    if samples.dataset.targets.task == "regression":
        scaled: npt.NDArray[np.float64] = found * np.array(samples.target_std) + np.array(samples.target_mean)
        return scaled
    return found


def _reserve_s(index: int, plan: Plan, facts: Facts, work: Work, after_s: float, *, slack: float) -> float:
    """Seconds to keep for what follows a rung: the rungs above it, as planned, and the end of the run.

    `slack`: times its planned share that the rung may take where others follow.
    """
    closing_s = work.reserve_s + after_s
    left_s = work.clock.left_s - closing_s
    if left_s == float("inf"):
        return 0.0
    later = range(index, len(plan.ladder.rungs))
    timed = all(StepTime(plan=plan, rung=one).key in facts.measured for one in later)
    planned = [_planned_s(one, plan, facts) if timed else plan.ladder.rungs[one].steps for one in later]
    share = min(1.0, (slack if len(planned) > 1 else 1.0) * planned[0] / sum(planned))
    before_s = work.spent_on(f"rung {plan.ladder.rungs[index].name}")  # by a process that was ended
    return closing_s + left_s - own_s(share, left_s, before_s)


def _planned_s(index: int, plan: Plan, facts: Facts) -> float:
    return plan.ladder.rungs[index].steps * sum(share * _step_ms(one, index, facts) for share, one in phases(plan))


def _step_ms(plan: Plan, index: int, facts: Facts) -> float:
    """The measured time of a step; where there is none, 1 at the whole size and less in proportion to the pixels."""
    known = facts.measured.get(StepTime(plan=plan, rung=index).key)
    if known is not None and isfinite(known.value):
        return known.value
    whole, now = plan.input, as_timed(plan.input)
    if not isinstance(whole, ImageInput) or not isinstance(now, ImageInput):
        return 1.0
    pixels = now.height * now.width / (whole.height * whole.width)
    whole_ms = _step_ms(at_size(plan, None), index, facts) if pixels < 1 else 1.0
    return whole_ms * pixels


def _sizes(index: int, plan: Plan, facts: Facts) -> Sizes:
    """Sizes of the images by step, each with its cost."""
    if not isinstance(plan.input, ImageInput):
        return Sizes()
    whole = _step_ms(at_size(plan, None), index, facts)
    costs = [_step_ms(at_size(plan, one.px), index, facts) / whole for one in plan.input.progressive]
    return Sizes.of(plan.input.progressive, plan.ladder.rungs[index].steps, costs)


def note_of(rung: Rung, outcome: Outcome, work: Work) -> str:
    """Anything unusual about its training."""
    notes, course = [], outcome.course
    planned = course.retimings[-1].end if course.retimings else rung.steps
    if course.retimings:
        why = "time was left" if planned > rung.steps else "to end in time"
        notes.append(f"retimed from {rung.steps:,} to {planned:,} steps: {why}")
    if course.cool_downs:
        notes.append(f"cooled down early, at {course.end:,} of {planned:,} steps, to end in time")
    for event in work.journal.read():
        if isinstance(event, BackedOff | SmallerMicro | EarlyStop | RateCut) and event.rung == rung.name:
            notes.append(event.because)
    return "; ".join(dict.fromkeys(notes))  # a run that goes on backs off again, in the same way
