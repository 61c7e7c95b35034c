"""The loop: one rung from its first step (or the one it was killed at) to its last."""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from fieldcraft.data.loader import Batch, Batches
from fieldcraft.data.patches.loader import PatchBatches
from fieldcraft.errors import BudgetError, Diverged
from fieldcraft.nn.clipping import Clip
from fieldcraft.nn.thawing import Thawing
from fieldcraft.plan import schema
from fieldcraft.records.streams import stream_seed
from fieldcraft.records.training import Look
from fieldcraft.regimes.interface import Regime
from fieldcraft.train import checkpoint
from fieldcraft.train.averaging import Average, averaged_weights
from fieldcraft.train.checkpoint import Checkpoint, Place
from fieldcraft.train.clock import Clock
from fieldcraft.train.compiled import Compiled
from fieldcraft.train.course import Course
from fieldcraft.train.engine import Engine
from fieldcraft.train.guard import Trouble
from fieldcraft.train.hooks.interface import Hook, Trained, Validated
from fieldcraft.train.journal import BackedOff, Cooled, EarlyStop, Journal, Noted, RateCut, Retimed, SmallerMicro, Tick
from fieldcraft.train.pacing import TENTHS, Pace, early_end, retiming
from fieldcraft.train.progress import Seen, best, ended
from fieldcraft.train.sizes import Sizes
from fieldcraft.train.watcher import Watcher

LOOK_EVERY = 10  # steps between looks at the loss: reading it makes a GPU wait
KEEP_EVERY = 50  # steps between snapshots to fall back to; a multiple of LOOK_EVERY
WRITE_EVERY_S, WRITE_SELDOM_S = 10.0, 120.0
WRITE_SHARE = 0.01  # of the time that goes into writing snapshots: a large network's take a while
DECIDE_EVERY_S = 0.25
TICK_EVERY_S = 2.0
WARM_UP = 5  # first steps of a process are slow and say nothing about the pace
SMALLEST_SCALE = 2.0**-6


@dataclass(frozen=True, kw_only=True)
class Job:
    """One rung: what is trained, on what, how."""

    rung: str
    net: nn.Module
    optimiser: torch.optim.Optimizer
    regime: Regime
    batches: Batches | PatchBatches
    course: Course
    most_steps: int = 0
    """Up to which the course is stretched where time is left over."""
    seed: int
    decay: float
    """Of the averaged weights; 0: none are kept."""
    micro: int | None
    """Samples at once; None: the whole batch."""
    sizes: Sizes = field(default_factory=Sizes)
    """Of training images, by step."""
    smaller: tuple[schema.SmallerMicro, ...] = ()
    """Steps from which fewer samples pass at once."""
    back_offs: tuple[schema.BackOff, ...] = ()
    """Steps from which the rate is smaller."""
    validate: Callable[[nn.Module], float] | None
    """The plan's metric on the validation part; None where nobody looks at it on the way, and nothing follows it."""
    names: Callable[[Sequence[int]], tuple[str, ...]]
    """Names of samples by row."""
    classes: int = 0
    """Of single-label targets; 0 for others."""
    clip: Clip | None = None
    """What is done to the gradients before each optimiser step."""
    thawing: Thawing | None = None
    """What lets frozen parts of the network learn, one after the other, by the share of the planned steps."""
    stopping: schema.Stopping = schema.NoStopping()  # noqa: RUF009  (frozen)
    higher: bool = True
    """Whether larger values of the metric are better."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a job runs in: where it writes, who listens, how long it may take."""

    engine: Engine
    journal: Journal
    checkpoint: Path
    hooks: tuple[Hook, ...]
    clock: Clock
    reserve_s: float
    """Of the budget, to be left when the rung ends."""
    kept_s: float = 0.0
    """The same, where others that follow have the share that was planned for them."""
    stop: Callable[[], bool]
    """Whether a person (or the system) asked to stop."""
    say: Callable[[str], None]
    """Tells the user what was decided on the way."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Where a rung ended."""

    weights: Mapping[str, Tensor]
    """Averaged, when the plan says so; those of the best look at validation, when it says that."""
    course: Course
    steps: int
    seconds: float
    """Over all processes that worked on it."""
    done: bool
    """False when it was asked to stop; the checkpoint is on disk."""


def train(job: Job, around: Surroundings) -> Outcome:
    """Train one rung; goes on from its checkpoint when there is one.

    Every step is a function of the plan, the data and the step's number alone, so a rung that was killed and resumed
    ends with the same bits as one that was not. What the clock decides is journalled before it acts.
    Raises: Diverged when the loss stays no number however small the rate.
    """
    with torch.random.fork_rng(devices=[around.engine.device] if around.engine.device.type == "cuda" else []):
        return _Loop(job, around).run()


class _Loop:
    """The state of a running rung."""

    def __init__(self, job: Job, around: Surroundings) -> None:
        self.job, self.around = job, around
        self.smaller, self.back_offs = job.smaller, job.back_offs
        whole = job.micro is None and not job.smaller
        self.net, self.optimiser = around.engine.set_up(job.net, job.optimiser, self._note, whole=whole)
        self.average = Average(job.net, job.decay) if job.decay else None
        self.shadow = deepcopy(job.net)
        self.watcher = Watcher(
            job.net, name=job.rung, planned=job.course.planned, classes=job.classes, tell=self._looked,
            units=not around.engine.execution.compile,
        )  # fmt: skip
        self.course = job.course
        self.place = Place()
        found = checkpoint.read(around.checkpoint)
        self.best: Mapping[str, Tensor] = {}
        self.stopped = False
        if found is not None:
            self._restore(found)
        self.kept = self._capture()
        self.pace = Pace()
        self.written = self.decided = self.ticked = self.began = time.monotonic()
        self.write_s = 0.0
        self.first = self.paced = self.place.step
        self.before_s = self.place.seconds
        self.validation_s = 0.0
        self.tenth = 0
        self.window: list[tuple[Tensor, Batch]] = []

    def run(self) -> Outcome:
        """Steps until the course ends or someone asks to stop."""
        self._begin()
        mark, marked = time.monotonic(), self.place.step
        while self.place.step < self.course.end and not self.stopped:
            if self.around.stop():
                self._write()
                return self._outcome(done=False)
            if not self._fits():
                mark, marked = time.monotonic(), self.place.step
                continue
            self._keep_time()  # before the look: it may make this step the last one, and every last loss is looked at
            step = self.place.step
            due = self._tenth_of(step) > self._tenth_of(step - 1)
            if step % LOOK_EVERY == 0 or due or step >= self.course.end:
                if not self._look((time.monotonic() - mark) / max(1, step - marked)):
                    mark, marked = time.monotonic(), self.place.step
                    continue
                if self.job.validate is not None and (due if step < self.course.end else self._stops):
                    self._validate(self.job.validate)
                if step % KEEP_EVERY == 0:  # after validation, whose looks are part of the snapshot
                    self.kept = self._capture()
                    if time.monotonic() - self.written > _apart(self.write_s):
                        self._write()
                mark, marked = time.monotonic(), step
        return self._outcome(done=True)

    def _begin(self) -> None:
        """Steps after this place are new, or taken again."""
        for hook in self.around.hooks:
            hook.begin(self.job.rung, self.place.step, self.course.end)

    def _fits(self) -> bool:
        """One optimiser step; False when memory ran out: back to the last snapshot, with a smaller micro-batch."""
        try:
            self._step()
            return True
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
        self._shrink()  # only here are the tensors of the failed step gone
        return False

    def _step(self) -> None:
        step, job = self.place.step, self.job
        rate = self.course.rate(step) * self._scale(step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        if job.thawing is not None:
            job.thawing.at(self.course.along(step) / self.course.planned)
        stage = job.sizes.at(step, self.course)
        batches = job.batches
        if stage is not None and isinstance(batches, Batches):
            batches = batches.at_side(stage.side)
        batch = batches.training_batch(step)
        self.around.engine.seed(stream_seed(job.seed, "dropout", job.rung, step))
        self.optimiser.zero_grad(set_to_none=True)
        with self.watcher.step(step, batch.targets):
            loss = self._gradients(batch)
            if job.clip is not None:
                job.clip()
            self.optimiser.step()
        if self.average is not None:
            self.average.update(step)
        self.window.append((loss, batch))
        self.place = replace(self.place, step=step + 1)

    def _looked(self, look: Look) -> None:
        for hook in self.around.hooks:
            hook.looked(look)

    def _gradients(self, batch: Batch) -> Tensor:
        """Add up the gradients of the batch's parts; gives its mean loss."""
        engine, size = self.around.engine, len(batch.rows)
        parts = batch.parts(self._micro(self.place.step) or size)
        total: Tensor | None = None
        for part in parts:
            with engine.precision():
                loss = self.job.regime.step(self.net, part).total
            if len(parts) > 1:
                loss = loss * (len(part.rows) / size)
            engine.backward(loss)
            total = loss.detach() if total is None else total + loss.detach()
        assert total is not None
        return total

    def _micro(self, step: int) -> int | None:
        """Samples at once in one step; a function of the plan and the journal, so that a repeat is exact."""
        known = [one.size for one in self.smaller if one.at <= step]
        return min([*known, self.job.micro] if self.job.micro else known, default=None)

    def _scale(self, step: int) -> float:
        """Of the rate in one step; a function of the plan and the journal, too."""
        return min((one.scale for one in self.back_offs if one.at <= step), default=1.0)

    def _shrink(self) -> None:
        now = self._micro(self.place.step) or len(self.job.batches.training_batch(self.place.step).rows)
        if now == 1:
            raise BudgetError(
                f"memory does not suffice for one sample of rung {self.job.rung!r} at a time: take a smaller network "
                "or smaller images (--set), or free some memory."
            )
        micro, back_to = (now + 1) // 2, self.kept.place.step
        because = f"memory ran out with {now} samples at once; batch norm now sees {micro}"
        self._decide(SmallerMicro(rung=self.job.rung, step=back_to, micro=micro, because=because))
        self.smaller = (*self.smaller, schema.SmallerMicro(at=back_to, size=micro))
        if isinstance(self.net, Compiled):
            self.net = self.net.in_parts()
        self._go_back()

    def _look(self, step_s: float) -> bool:
        """Read the losses since the last look; falls back and gives False when something is wrong with them."""
        losses = torch.stack([loss for loss, _ in self.window]).tolist()
        verdict = self.place.guard.look(losses)
        if isinstance(verdict, Trouble):
            self._fall_back(verdict, self.window[verdict.index][1])
            return False
        self.window.clear()
        self.place = replace(self.place, guard=verdict)
        record = Trained(
            rung=self.job.rung, step=self.place.step, end=self.course.end, loss=sum(losses) / len(losses),
            lr=max(float(group["lr"]) for group in self.optimiser.param_groups), ms=step_s * 1000,
        )  # fmt: skip
        for hook in self.around.hooks:
            hook.trained(record)
        return True

    def _fall_back(self, trouble: Trouble, batch: Batch) -> None:
        now = self._scale(self.place.step)
        scale, back_to = now / 2, self.kept.place.step
        at = self.place.step - len(self.window) + trouble.index
        samples = self.job.names(batch.rows.tolist())
        if scale < SMALLEST_SCALE:
            shown = ", ".join(samples[:8]) + (f" and {len(samples) - 8} more" if len(samples) > 8 else "")
            raise Diverged(
                f"{trouble.because} at step {at} of rung {self.job.rung!r}, also with the learning rate cut to "
                f"1/{round(1 / now)}. Look at the samples of that step: {shown}."
            )
        self._decide(
            BackedOff(
                rung=self.job.rung, step=at, back_to=back_to, lr_scale=scale,
                because=trouble.because, samples=samples,
            )
        )  # fmt: skip
        self.back_offs = (*self.back_offs, schema.BackOff(at=back_to, scale=scale))
        self._go_back()

    def _go_back(self) -> None:
        """To the last snapshot: the steps after it are taken again."""
        self._restore(self.kept)
        self.paced = min(self.paced, self.place.step)
        self.window.clear()
        self._begin()

    def _restore(self, found: Checkpoint) -> None:
        self.place = checkpoint.restore(found, self.job.net, self.job.optimiser, self.average)
        self.best = checkpoint.part(found, "best")
        if self.job.clip is not None:
            self.job.clip.restore(checkpoint.part(found, "clip"))
        self._follow()

    @property
    def _stops(self) -> bool:
        """Whether validation may end the rung, and the best look counts."""
        return isinstance(self.job.stopping, schema.Patience)

    def _follow(self) -> None:
        """Course and end are what the looks at validation so far make them."""
        seen, higher = self.place.seen, self.job.higher
        self.course = self.course.after(seen, higher=higher)
        stopping = self.job.stopping
        self.stopped = isinstance(stopping, schema.Patience) and ended(stopping, seen, higher=higher)

    def _validate(self, validate: Callable[[nn.Module], float]) -> None:
        began = time.monotonic()
        weights = averaged_weights(self.job.net, self.average)
        self.shadow.load_state_dict(weights)
        record = Validated(rung=self.job.rung, step=self.place.step, metric=validate(self.shadow))
        for hook in self.around.hooks:
            hook.validated(record)
        self._judge(Seen(record.step, record.metric), weights)
        self.validation_s = time.monotonic() - began
        self.decided += self.validation_s

    def _judge(self, look: Seen, weights: Mapping[str, Tensor]) -> None:
        """What a look at validation changes, journalled before it acts."""
        cuts = self.course.cuts
        self.place = replace(self.place, seen=(*self.place.seen, look))
        top = best(self.place.seen, higher=self.job.higher)
        if self._stops and top is look:
            self.best = weights
        self._follow()
        assert top is not None
        stalled = f"validation was best at step {top.step} ({top.metric:.4g}; now {look.metric:.4g})"
        if self.course.cuts != cuts:
            because = f"{stalled}: the rate is cut for the {len(self.course.cuts)}. time at step {look.step}"
            self._decide(RateCut(rung=self.job.rung, at=look.step, because=because))
        if self.stopped and look.step < self.course.end:
            because = f"{stalled}: ends at step {look.step} of {self.course.end} with the weights of step {top.step}"
            self._decide(EarlyStop(rung=self.job.rung, at=look.step, best=top.step, because=because))

    def _keep_time(self) -> None:
        """Tell the journal what was spent, and end earlier or later where the rest does not fit the budget."""
        now, step = time.monotonic(), self.place.step
        if now - self.ticked > TICK_EVERY_S:
            self.around.journal.write(Tick(spent_s=self.around.clock.spent_s, stage=f"rung {self.job.rung}"))
            self.ticked = now
        if step - self.first < WARM_UP:
            self.paced, self.decided = step, now
            if self.around.clock.left_s <= self.around.reserve_s and step < self.course.end:
                because = f"the time for it was over after {step - self.first} steps: ends at step {step}"
                self._cool(schema.CoolDown(at=step, end=step), because)
            return
        if now - self.decided < DECIDE_EVERY_S:
            return
        if step > self.paced:
            self.pace = self.pace.after(now - self.decided, self.job.sizes.work(self.paced, step, self.course))
        self.paced, self.decided = step, now
        looks = TENTHS * (self.course.along(self.course.end) - self.course.along(step)) / self.course.planned
        left_s = self.around.clock.left_s - self.around.reserve_s - looks * self.validation_s
        work = self.job.sizes.work(step, self.course.end, self.course)
        decision = early_end(self.course, step, self.pace, left_s, work=work)
        if decision is not None:
            because = (
                f"{max(0.0, left_s):.1f} s are left for training and a step takes "
                f"{1000 * (self.pace.step_s or 0):.1f} ms: ends at step {decision.end} of {self.course.end}"
            )
            self._cool(decision, because)
            return
        self._retime(left_s + self.around.reserve_s - self.around.kept_s, work)

    def _cool(self, decision: schema.CoolDown, because: str) -> None:
        self._decide(Cooled(rung=self.job.rung, at=decision.at, end=decision.end, because=because))
        self.course = self.course.cooled(decision)

    def _tenth_of(self, step: int) -> int:
        """Tenths of the course before a step."""
        return int(TENTHS * self.course.along(step) / self.course.planned)

    def _retime(self, left_s: float, work: float) -> None:
        """Once in each tenth of the course: stretch or compress the rest of it to the time that is there for it."""
        tenth = self._tenth_of(self.place.step)
        if tenth <= self.tenth:
            return
        self.tenth = tenth
        found = retiming(self.course, self.place.step, self.pace, left_s, work=work, most=self.job.most_steps)
        if found is not None:
            how = "stretched" if found.end > self.course.end else "compressed"
            because = (
                f"{max(0.0, left_s):.1f} s are left for training and a step takes "
                f"{1000 * (self.pace.step_s or 0):.1f} ms: the schedule is {how} to end at step {found.end} instead of "
                f"{self.course.end}"
            )
            self._decide(Retimed(rung=self.job.rung, at=found.at, end=found.end, because=because))
            self.course = self.course.retimed(found)

    def _decide(self, event: SmallerMicro | BackedOff | Cooled | Retimed | RateCut | EarlyStop) -> None:
        """Journal a decision, then say it."""
        self.around.journal.write(event)
        self.around.say(f"{self.job.rung}: {event.because}")

    def _note(self, text: str) -> None:
        self.around.journal.write(Noted(text=f"{self.job.rung}: {text}"))
        self.around.say(f"{self.job.rung}: {text}")

    def _capture(self) -> Checkpoint:
        clip = self.job.clip.state() if self.job.clip is not None else {}
        return checkpoint.capture(self.place, self.job.net, self.job.optimiser, self.average, clip=clip, best=self.best)

    def _write(self) -> None:
        """Write the last snapshot: steps after it are taken again, the same."""
        began = time.monotonic()
        kept = replace(self.kept, place=replace(self.kept.place, seconds=self._seconds()))
        checkpoint.write(kept, self.around.checkpoint)
        self.written = time.monotonic()
        self.write_s = self.written - began

    def _seconds(self) -> float:
        return self.before_s + time.monotonic() - self.began

    def _outcome(self, *, done: bool) -> Outcome:
        return Outcome(
            weights=self.best or averaged_weights(self.job.net, self.average), course=self.course,
            steps=self.place.step, seconds=self._seconds(), done=done,
        )  # fmt: skip


def _apart(write_s: float) -> float:
    """Seconds from one snapshot on disk to the next, where writing one takes so many."""
    return min(max(WRITE_EVERY_S, write_s / WRITE_SHARE), WRITE_SELDOM_S)


def _out_of_memory(error: RuntimeError) -> bool:
    """Of a device, or of the CPU's allocator, which has words of its own on each system."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
