import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fieldcraft.data.loader import Batch
from fieldcraft.errors import BudgetError, RunError
from fieldcraft.nn.clipping import NormClip, PercentileClip
from fieldcraft.plan.schema import (
    BackOff,
    Constant,
    CoolDown,
    Execution,
    OneCycle,
    Patience,
    Plateau,
    Retiming,
    SmallerMicro,
)
from fieldcraft.records.training import Look
from fieldcraft.regimes.interface import Losses
from fieldcraft.regimes.supervised import Supervised
from fieldcraft.train import journal as journalled
from fieldcraft.train import loop
from fieldcraft.train.clock import Clock
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.hooks.interface import Trained, Validated
from fieldcraft.train.hooks.metrics_log import MetricsLog
from fieldcraft.train.journal import BackedOff, Cooled, Journal
from fieldcraft.train.loop import Job, Outcome, Surroundings, train

LOOKS = sorted({*range(10, 121, 10), *range(12, 121, 12)})
"""Steps at which the loss is read: every tenth, and before each look at the validation part."""


@dataclass(frozen=True)
class MadeBatches:
    """Batches of a linear problem; `spoil` changes the batch of a step."""

    size: int = 16
    spoil: Callable[[int, Tensor], Tensor] = lambda step, inputs: inputs

    def training_batch(self, step: int) -> Batch:
        generator = torch.Generator().manual_seed(step)
        inputs = torch.randn(self.size, 4, generator=generator)
        targets = (inputs.sum(dim=1) > 0).long()
        return Batch(self.spoil(step, inputs), targets, torch.arange(step, step + self.size))


def made_net(dropout: float = 0.2) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2))


def made_job(net: nn.Module, steps: int = 120, **changes: object) -> Job:
    job = Job(
        rung="small", net=net, optimiser=torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9),
        regime=Supervised(functional.cross_entropy), batches=MadeBatches(),  # type: ignore[arg-type]
        course=Course(schedule=OneCycle(), planned=steps, peak=0.1), seed=5, decay=0.9, micro=None,
        validate=lambda net: 0.5, names=lambda rows: tuple(f"sample {row}" for row in rows),
    )  # fmt: skip
    return replace(job, **changes)


def around(folder: Path, **changes: object) -> Surroundings:
    found = Surroundings(
        engine=engine(Execution()), journal=Journal(folder / "journal.jsonl"),
        checkpoint=folder / "checkpoint.safetensors", hooks=(), clock=Clock(budget_s=None, started=0.0),
        reserve_s=0.0, stop=lambda: False, say=lambda text: None,
    )  # fmt: skip
    return replace(found, **changes)


def same(a: Outcome, b: Outcome) -> bool:
    return all(torch.equal(value, b.weights[name]) for name, value in a.weights.items())


def stop_after(calls: int) -> Callable[[], bool]:
    left = iter(range(calls, -1, -1))
    return lambda: next(left) == 0


def test_training_learns(tmp_path: Path) -> None:
    net = made_net(0.0)
    outcome = train(made_job(net, 400), around(tmp_path))
    net.load_state_dict(outcome.weights)
    batch = MadeBatches(size=500).training_batch(10_000)
    accuracy = (net.eval()(batch.inputs).argmax(1) == batch.targets).float().mean()
    assert outcome.done and outcome.steps == 400
    assert accuracy > 0.95


@pytest.mark.parametrize("after", [0, 1, 49, 50, 51, 99, 119])
def test_stopped_and_gone_on_is_never_having_stopped(tmp_path: Path, after: int) -> None:
    whole = train(made_job(made_net()), around(tmp_path / "whole"))
    first = train(made_job(made_net()), around(tmp_path / "cut", stop=stop_after(after)))
    assert not first.done
    torch.randn(3)  # what others draw must not matter
    second = train(made_job(made_net()), around(tmp_path / "cut"))
    assert second.done and second.steps == whole.steps
    assert same(whole, second)


def test_snapshots_that_take_long_to_write_are_written_seldom() -> None:
    assert loop._apart(0.01) == 10.0
    assert loop._apart(0.5) == pytest.approx(50.0)
    assert loop._apart(60.0) == 120.0, "a kill never costs more than two minutes and a snapshot"


def test_the_callers_random_state_is_left_alone(tmp_path: Path) -> None:
    job = made_job(nn.Linear(4, 2))
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    train(job, around(tmp_path))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_micro_batches_sum_to_the_whole_gradient(tmp_path: Path) -> None:
    def net() -> nn.Module:
        torch.manual_seed(0)
        return nn.Linear(4, 2)

    whole = train(made_job(net()), around(tmp_path / "whole"))
    parts = train(made_job(net(), micro=5), around(tmp_path / "parts"))
    for name, value in whole.weights.items():
        torch.testing.assert_close(parts.weights[name], value)


@dataclass(frozen=True)
class Hungry:
    """A regime whose memory suffices for so many samples."""

    most: int

    def step(self, net: nn.Module, batch: Batch) -> Losses:
        if len(batch.rows) > self.most:
            raise torch.OutOfMemoryError("made up")
        return Losses(functional.cross_entropy(net(batch.inputs), batch.targets))


def test_out_of_memory_halves_the_micro_batch_and_says_so(tmp_path: Path) -> None:
    surroundings = around(tmp_path)
    outcome = train(made_job(nn.Linear(4, 2), regime=Hungry(most=4)), surroundings)
    events = [event for event in surroundings.journal.read() if isinstance(event, journalled.SmallerMicro)]
    assert outcome.done
    assert [event.micro for event in events] == [8, 4]
    assert "batch norm" in events[0].because
    with pytest.raises(BudgetError, match="one sample of rung 'small'"):
        train(made_job(nn.Linear(4, 2), regime=Hungry(most=0)), around(tmp_path / "none"))


@dataclass
class HungryOnce:
    """A regime that runs out of memory at one step, after the first half has passed, if all passes at once."""

    at: int

    def step(self, net: nn.Module, batch: Batch) -> Losses:
        loss = functional.cross_entropy(net(batch.inputs), batch.targets)
        if int(batch.rows[0]) == self.at and len(batch.rows) > 8:
            raise torch.OutOfMemoryError("made up")
        return Losses(loss)


def smaller(journal: Journal) -> tuple[SmallerMicro, ...]:
    return tuple(
        SmallerMicro(at=event.step, size=event.micro)
        for event in journal.read()
        if isinstance(event, journalled.SmallerMicro)
    )


@pytest.mark.parametrize(("after", "checkpoint"), [(30, True), (72, True), (75, True), (110, True), (110, False)])
def test_a_rung_that_ran_out_of_memory_is_resumed_and_repeated_exactly(
    tmp_path: Path, after: int, checkpoint: bool
) -> None:

    def job(folder: Path) -> Job:
        return made_job(
            made_net(), regime=HungryOnce(at=73), smaller=smaller(Journal(tmp_path / folder / "journal.jsonl"))
        )

    whole = train(job(tmp_path / "whole"), around(tmp_path / "whole"))
    assert smaller(Journal(tmp_path / "whole" / "journal.jsonl")) == (SmallerMicro(at=50, size=8),)
    train(job(tmp_path / "cut"), around(tmp_path / "cut", stop=stop_after(after)))
    if not checkpoint:  # killed before the first was written
        (tmp_path / "cut" / "checkpoint.safetensors").unlink()
    assert same(whole, train(job(tmp_path / "cut"), around(tmp_path / "cut")))
    assert same(whole, train(job(tmp_path / "whole"), around(tmp_path / "repeat")))


def test_steps_that_are_taken_again_are_logged_once(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "m.jsonl")
    train(made_job(made_net(), regime=HungryOnce(at=73)), around(tmp_path, hooks=(log,)))
    log.close()
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "train"] == LOOKS


def poisoned(at: set[int], value: float) -> Callable[[int, Tensor], Tensor]:
    return lambda step, inputs: inputs * value if step in at else inputs


def test_a_loss_that_is_no_number_names_its_samples_and_gives_up_in_the_end(tmp_path: Path) -> None:
    surroundings = around(tmp_path)
    job = made_job(made_net(), batches=MadeBatches(spoil=poisoned({63}, float("nan"))))
    with pytest.raises(RunError, match="sample 63, sample 64"):
        train(job, surroundings)
    first = next(event for event in surroundings.journal.read() if isinstance(event, BackedOff))
    assert (first.step, first.back_to, first.lr_scale) == (63, 50, 0.5)
    assert first.samples == tuple(f"sample {row}" for row in range(63, 79))


@dataclass(frozen=True)
class Divergent:
    """Gives a loss that is no number once the rate is above what it can stand."""

    optimiser: torch.optim.Optimizer
    most: float

    def step(self, net: nn.Module, batch: Batch) -> Losses:
        loss = functional.cross_entropy(net(batch.inputs), batch.targets)
        return Losses(loss * float("nan") if self.optimiser.param_groups[0]["lr"] > self.most else loss)


def back_offs(folder: Path) -> tuple[BackOff, ...]:
    events = Journal(folder / "journal.jsonl").read()
    return tuple(BackOff(at=one.back_to, scale=one.lr_scale) for one in events if isinstance(one, BackedOff))


def divergent(folder: Path, **changes: object) -> Job:
    job = made_job(made_net(), course=Course(schedule=Constant(), planned=120, peak=0.1), back_offs=back_offs(folder))
    return replace(job, regime=Divergent(job.optimiser, 0.03), **changes)


def test_a_rate_that_is_too_high_is_halved_until_it_works_and_resuming_repeats_that(tmp_path: Path) -> None:
    whole = train(divergent(tmp_path / "whole"), around(tmp_path / "whole"))
    assert [one.scale for one in back_offs(tmp_path / "whole")] == [0.5, 0.25]
    train(divergent(tmp_path / "cut"), around(tmp_path / "cut", stop=stop_after(80)))
    assert same(whole, train(divergent(tmp_path / "cut"), around(tmp_path / "cut")))


def test_an_early_end_decided_on_steps_that_are_taken_again_is_repeated_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it the repeat never comes to where the loss leapt: it has to know of the smaller rate."""
    monkeypatch.setattr(loop, "DECIDE_EVERY_S", 0.0)

    def ends(course: Course, step: int, *given: object, **more: object) -> CoolDown | None:
        fell_back = bool(back_offs(tmp_path / "first"))
        return CoolDown(at=step, end=80) if fell_back and step == 60 and not course.cool_downs else None

    monkeypatch.setattr(loop, "early_end", ends)

    def job(**changes: object) -> Job:
        spoilt = MadeBatches(spoil=poisoned({93}, float("nan")))
        return made_job(made_net(), batches=spoilt, back_offs=back_offs(tmp_path / "first"), **changes)

    first = train(job(), around(tmp_path / "first"))
    assert back_offs(tmp_path / "first") == (BackOff(at=50, scale=0.5),) and first.steps == 80
    monkeypatch.undo()
    assert same(first, train(job(course=first.course), around(tmp_path / "repeat")))


class Listener:
    def __init__(self) -> None:
        self.steps: list[int] = []
        self.looks: list[int] = []
        self.inside: list[int] = []

    def begin(self, rung: str, step: int, end: int) -> None:
        self.begun = (rung, step, end)

    def trained(self, record: Trained) -> None:
        self.steps.append(record.step)

    def validated(self, record: Validated) -> None:
        self.looks.append(record.step)

    def looked(self, record: Look) -> None:
        assert record.layers
        self.inside.append(record.step)

    def close(self) -> None: ...


def test_hooks_hear_of_steps_and_looks_and_change_nothing(tmp_path: Path) -> None:
    listener = Listener()
    quiet = train(made_job(made_net()), around(tmp_path / "quiet"))
    log = MetricsLog(tmp_path / "m.jsonl")
    heard = train(made_job(made_net()), around(tmp_path / "heard", hooks=(listener, log)))
    log.close()
    assert same(quiet, heard)
    assert listener.begun == ("small", 0, 120)
    assert listener.steps == LOOKS
    assert listener.looks == list(range(12, 120, 12))
    assert len((tmp_path / "m.jsonl").read_text().splitlines()) == len(LOOKS) + 9 + len(listener.inside)
    assert listener.inside == [0, 3, 10, 30, 50, 100]


def clock_of_readings(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Clock:
    """A budget of three seconds, on a clock that only readings of it move on, by so much each."""
    monkeypatch.setattr(loop, "DECIDE_EVERY_S", 0.0)
    readings = iter(range(10**9))
    monkeypatch.setattr("fieldcraft.train.loop.time.monotonic", lambda: next(readings) * seconds)
    return Clock(budget_s=3.0, started=0.0, now=lambda: next(readings) * seconds)


def test_a_slow_machine_cools_down_journals_it_first_and_a_repeat_is_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A budget that is too small for the course."""
    surroundings = around(tmp_path / "slow", clock=clock_of_readings(monkeypatch, 0.005))
    slow = train(made_job(made_net(), 2000), surroundings)
    cooled = [event for event in surroundings.journal.read() if isinstance(event, Cooled)]
    assert cooled and slow.done and slow.steps == slow.course.end == cooled[-1].end < 2000
    downs = tuple(CoolDown(at=event.at, end=event.end) for event in cooled)
    course = Course(
        schedule=OneCycle(), planned=2000, peak=0.1, cool_downs=downs, retimings=retimings(surroundings)
    )  # fmt: skip
    repeat = train(made_job(made_net(), course=course), around(tmp_path / "repeat"))
    assert same(slow, repeat)


def retimings(surroundings: Surroundings) -> tuple[Retiming, ...]:
    events = surroundings.journal.read()
    return tuple(Retiming(at=one.at, end=one.end) for one in events if isinstance(one, journalled.Retimed))


def test_steps_that_are_far_too_slow_end_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the first ones, which say nothing about the pace."""
    surroundings = around(tmp_path, clock=clock_of_readings(monkeypatch, 1.0))
    slow = train(made_job(made_net(), 2000), surroundings)
    (cooled,) = [event for event in surroundings.journal.read() if isinstance(event, Cooled)]
    assert slow.done and slow.steps == cooled.end < loop.WARM_UP


@pytest.mark.parametrize("schedule", [None, Retiming(at=20, end=500), Retiming(at=20, end=60)])
def test_validation_is_looked_at_once_in_each_tenth_of_the_course(schedule: Retiming | None, tmp_path: Path) -> None:
    course = Course(schedule=OneCycle(), planned=120, peak=0.1, retimings=(schedule,) if schedule else ())
    looks: list[float] = []

    def validate(net: nn.Module) -> float:
        looks.append(0.5)
        return 0.5

    train(made_job(made_net(), course=course, validate=validate), around(tmp_path))
    assert len(looks) == 9


@pytest.mark.parametrize("most", [0, 260, 10_000])
def test_a_fast_machine_goes_on_up_to_what_is_useful_and_a_repeat_is_exact(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A budget that is more than the course takes."""
    surroundings = around(tmp_path / "fast", clock=clock_of_readings(monkeypatch, 0.001))
    fast = train(replace(made_job(made_net(), 200), most_steps=max(most, 200)), surroundings)
    found = retimings(surroundings)
    assert fast.done and fast.steps == fast.course.end
    assert bool(found) == bool(most)
    assert (fast.steps == (most or 200)) if most < 1000 else (300 < fast.steps < 3000)
    course = replace(fast.course, retimings=found)
    repeat = train(made_job(made_net(), course=course), around(tmp_path / "repeat"))
    assert same(fast, repeat)


def test_the_cpus_own_words_for_a_lack_of_memory_are_understood() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55, dtype=torch.uint8)
    assert loop._out_of_memory(caught.value)
    with pytest.raises(RuntimeError) as caught:
        torch.ones(2) @ torch.ones(3)
    assert not loop._out_of_memory(caught.value)


def test_the_loss_of_a_last_step_is_looked_at_also_when_the_time_ends_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "DECIDE_EVERY_S", 0.0)
    monkeypatch.setattr(
        loop, "early_end", lambda course, step, pace, left_s, work: CoolDown(at=step, end=step) if step == 64 else None
    )
    surroundings = around(tmp_path)
    with pytest.raises(RunError, match="at step 63 of rung"):
        train(made_job(made_net(), batches=MadeBatches(spoil=poisoned({63}, float("nan")))), surroundings)
    assert next(event for event in surroundings.journal.read() if isinstance(event, Cooled)).end == 64


METRICS = {12: 0.5, 24: 0.7, 36: 0.6, 48: 0.6, 60: 0.65, 72: 0.8, 84: 0.7, 96: 0.7, 108: 0.7, 120: 0.7}


@dataclass
class Told:
    """Validation that says what it was told to, one look after the other from a step on; keeps the weights it saw."""

    steps: list[int]

    def __call__(self, net: nn.Module) -> float:
        step = self.steps.pop(0)
        self.seen = {**getattr(self, "seen", {}), step: {k: v.clone() for k, v in net.state_dict().items()}}
        return METRICS[step]


def steered(folder: Path, since: int = 0, **changes: object) -> tuple[Job, Told]:
    """A job with everything that remembers: AutoClip's norms, a plateau's cuts, the best weights."""
    net = made_net()
    told = Told([step for step in METRICS if step > since])
    job = made_job(
        net, course=Course(schedule=Plateau(warm_up=0.05), planned=120, peak=0.1), validate=told,
        clip=PercentileClip(net.parameters(), 30, window=40), stopping=Patience(looks=5),
    )  # fmt: skip
    return replace(job, **changes), told


@pytest.mark.parametrize("after", [0, 13, 25, 49, 50, 51, 60, 61, 99, 101, 119])
def test_clipping_cuts_and_the_best_weights_survive_a_stop(tmp_path: Path, after: int) -> None:
    whole = train(steered(tmp_path / "whole")[0], around(tmp_path / "whole"))
    assert whole.course.cuts == (36, 48, 60, 84, 96, 108, 120)
    train(steered(tmp_path / "cut")[0], around(tmp_path / "cut", stop=stop_after(after)))
    since = after // 50 * 50
    resumed = train(steered(tmp_path / "cut", since)[0], around(tmp_path / "cut"))
    assert same(whole, resumed)
    assert resumed.course == whole.course


def test_a_stalled_rung_ends_early_with_its_best_weights_and_says_so(tmp_path: Path) -> None:
    surroundings = around(tmp_path)
    job, told = steered(tmp_path, stopping=Patience(looks=3))
    outcome = train(job, surroundings)
    assert outcome.done and outcome.steps == 60
    assert all(torch.equal(value, told.seen[24][name]) for name, value in outcome.weights.items())
    (event,) = [one for one in surroundings.journal.read() if isinstance(one, journalled.EarlyStop)]
    assert (event.at, event.best) == (60, 24)
    cut = [one.at for one in surroundings.journal.read() if isinstance(one, journalled.RateCut)]
    assert cut == [36, 48, 60]


def test_patience_that_never_ends_keeps_the_best_of_all_looks(tmp_path: Path) -> None:
    job, told = steered(tmp_path, stopping=Patience(looks=10))
    outcome = train(job, around(tmp_path))
    assert outcome.steps == 120 and told.steps == []
    assert all(torch.equal(value, told.seen[72][name]) for name, value in outcome.weights.items())


def test_smaller_is_better_where_the_metric_says_so(tmp_path: Path) -> None:
    job, told = steered(tmp_path, stopping=Patience(looks=10), higher=False)
    outcome = train(job, around(tmp_path))
    assert all(torch.equal(value, told.seen[12][name]) for name, value in outcome.weights.items())


def test_a_limit_out_of_reach_is_no_clipping(tmp_path: Path) -> None:
    net = made_net()
    plain = train(made_job(made_net()), around(tmp_path / "plain"))
    clipped = train(made_job(net, clip=NormClip(net.parameters(), 1e9)), around(tmp_path / "clipped"))
    assert same(plain, clipped)


def test_looks_are_forgotten_when_a_rung_goes_back(tmp_path: Path) -> None:
    """From step 63 back to 50: the looks at 60 and later count once, as they are taken again."""
    surroundings = around(tmp_path)
    job, told = steered(tmp_path, stopping=Patience(looks=10))
    told.steps = [12, 24, 36, 48, 60, 60, 72, 84, 96, 108, 120]
    outcome = train(replace(job, regime=HungryOnce(at=63)), surroundings)
    assert outcome.course.cuts == (36, 48, 60, 84, 96, 108, 120)
    assert told.steps == []
