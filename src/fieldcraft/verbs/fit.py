"""Fit: facts, draft, baselines, ladder, predictions, report; resumable at any moment."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from pydantic import TypeAdapter

from fieldcraft.data.dataset import Dataset, ReadOptions
from fieldcraft.errors import BudgetError, PlanError, Stopped
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.edit import edit
from fieldcraft.plan.masks import PatchInput
from fieldcraft.plan.rungs import check_rungs
from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.plan.toml import PlanFile, read_plan, to_toml
from fieldcraft.records.alone import alone_in
from fieldcraft.records.decision import Decision
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import read_json, write_json, write_whole
from fieldcraft.tips.interface import StepTime
from fieldcraft.train.clock import Clock
from fieldcraft.train.engine import restored
from fieldcraft.train.hooks.interface import Hook
from fieldcraft.train.hooks.metrics_log import MetricsLog
from fieldcraft.train.hooks.tensorboard import TensorBoard
from fieldcraft.train.journal import Finished, Journal, spent
from fieldcraft.train.memory import memory_kills
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.audit import Care, limit_of
from fieldcraft.verbs.budget import seconds
from fieldcraft.verbs.deep import share_s, with_deep_facts
from fieldcraft.verbs.disk import writing_into
from fieldcraft.verbs.draft import CACHE, decide, measurer, timer
from fieldcraft.verbs.evidence import prior
from fieldcraft.verbs.finish import finish, keep_best
from fieldcraft.verbs.interrupt import StopRequest, listening
from fieldcraft.verbs.ladder import SampleContest, climb
from fieldcraft.verbs.machine import known_machine
from fieldcraft.verbs.masks.contest import MaskContest
from fieldcraft.verbs.masks.finish import finish_masks, keep_best_masks
from fieldcraft.verbs.masks.memory import within_memory
from fieldcraft.verbs.memory_kill import after_a_memory_kill, forget_kills, remember_kills
from fieldcraft.verbs.prepare import Prepared, Wardrobe, keep_audit, keep_parts, known, prepare
from fieldcraft.verbs.provenance import Request, claim, keep, provenance
from fieldcraft.verbs.run import Run
from fieldcraft.verbs.start import start_plan
from fieldcraft.verbs.weights import Weights, listed
from fieldcraft.verbs.work import Work

CLOSING_S, CLOSING_SHARE = 4.0, 0.04  # kept for predictions and report
LEAST_TRAINING_S = 2.0


def fit(
    data: object,
    plan: Plan | Path | str | None = None,
    *,
    budget: str | float | None = None,
    out: str | Path | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    edits: Sequence[str] = (),
    without: Sequence[str] = (),
    only: Sequence[str] = (),
    seed: int = 0,
    skip_bad: bool = False,
    relabel: str | Path | None = None,
    evidence: bool = True,
    weights: Weights | None = None,
    hooks: Sequence[Hook] = (),
    say: Callable[[str], None] = lambda text: None,
    command: Sequence[str] = (),
    started: float | None = None,
) -> Run:
    """Train a model on some data and say honestly what came out.

    `data`: a path, a built-in name, (X, y), a frame, or a map-style torch Dataset. `plan`: None to draft one, a Plan,
    or a plan.toml; `without`, `only` and `seed` are for drafting, a given plan has its own seed. `budget`: "60s",
    "10m", seconds, or None for no limit; it counts from `started` (a reading of time.monotonic()), by default from
    this call. `skip_bad`: go on without samples that would spoil the result; they are recorded in the run. `relabel`: a
    CSV with corrected labels (id, label) of training and validation samples. `evidence`: leave out tips that proofs on
    file speak against. `weights`: pretrained ones for a further rung of the ladder: a file, a folder of candidates,
    "timm:NAME" or "torchvision:NAME" (from their caches, or fetched where `options.download` allows it), or several of
    these. `out`: the run folder, by default runs/NAME. The same call goes on where a killed one stopped; a
    finished run is returned as it is.
    Raises: DataError, PlanError, BudgetError, RunError; Stopped after Ctrl-C or SIGTERM, with everything on disk.
    """
    began = time.monotonic() if started is None else started
    command = tuple(command)
    if plan is not None and (without or only):
        raise PlanError(
            "--without and --only choose among tips, but no tip decides where a plan is given: leave one out."
        )
    if plan is not None and weights is not None:
        raise PlanError("--weights is for drafting, and a given plan names its own weights: leave one out.")
    budget_s = seconds(budget)
    given = _given(plan, edits)
    care = Care(
        skip_bad=skip_bad, relabel=None if relabel is None else Path(relabel), limit_s=limit_of(budget_s), say=say
    )
    prepared = prepare(
        data,
        options,
        seed=seed,
        plan=given.plan if given else None,
        edits=() if given else edits,
        care=care,
        weights=listed(weights),
    )
    if given is not None:
        _fits(given.plan, prepared.dataset)
    folder = RunFolder(Path(out) if out is not None else Path("runs") / prepared.dataset.name)
    request = Request(
        source=str(Path(data).resolve()) if isinstance(data, str | Path) and Path(data).exists() else _called(data),
        data_digest=prepared.digest,
        options=tuple(f"{name}={value}" for name, value in vars(options).items() if value and name != "download"),
        budget_s=budget_s,
        plan=_digest(to_toml(given.plan, ())) if given else None,
        edits=tuple(edits),
        without=tuple(without),
        only=tuple(only),
        seed=seed,
        skip_bad=skip_bad,
        relabel=tuple((fix.id, fix.label) for fix in prepared.fixes),
        evidence=evidence,
        weights=tuple((one.name, one.digest) for one in prepared.weights),
    )
    with writing_into(folder.path), alone_in(folder.path), restored(), listening() as stop:
        begun = claim(folder, request)
        if not begun:
            keep(folder, provenance(request, command, machine_facts()))
        journal = Journal(folder.journal)
        events = journal.read()
        if begun and any(isinstance(event, Finished) for event in events):
            say(f"{folder.path} holds this run, finished: nothing to do.")
            return Run(folder.path)
        clock = Clock(budget_s=budget_s, spent_before_s=spent(events), started=began)
        work = Work(
            folder=folder,
            journal=journal,
            clock=clock,
            hooks=(MetricsLog(folder.metrics), TensorBoard(folder.tensorboard), *hooks),
            stop=stop,
            say=say,
            reserve_s=0.0 if budget_s is None else max(CLOSING_S, CLOSING_SHARE * budget_s),
        )
        if events:
            say(f"goes on from {spent(events):.0f} s into the run")
        work.tick("start and data")
        try:
            return _carry_out(prepared, request, given, work, command)
        except Stopped as stopped:
            work.tick("stopped")
            raise _stopped(folder, stop) from stopped
        finally:
            forget_kills(folder)
            for hook in work.hooks:
                hook.close()


def _carry_out(
    prepared: Prepared, request: Request, given: PlanFile | None, work: Work, command: tuple[str, ...]
) -> Run:
    folder = work.folder
    keep_parts(prepared, folder.splits)
    keep_audit(prepared, folder)
    wardrobe = Wardrobe(prepared, CACHE)
    file, facts = _planned(prepared, request, given, wardrobe, work)
    work.check_stop()
    if file.plan.execution.allocator == "tuned" and not facts.machine.tuned_start:
        work.note('not applied: execution.allocator = "tuned" works only from process start; `fieldcraft fit` does it.')
    after_a_memory_kill(file.plan, work, memory_kills(), len(prepared.parts.train))
    remember_kills(folder, memory_kills())
    if isinstance(file.plan.input, PatchInput):
        _masks(file.plan, facts, wardrobe, work, command)
    else:
        _samples(file.plan, facts, wardrobe, work, command)
    work.journal.write(Finished(spent_s=work.clock.spent_s))
    return Run(folder.path)


def _samples(plan: Plan, facts: Facts, wardrobe: Wardrobe, work: Work, command: tuple[str, ...]) -> None:
    samples = wardrobe.samples(plan)
    work.tick("data")
    contest = SampleContest(plan=plan, facts=facts, samples=samples, work=work)
    judged = climb(plan, contest, work, lambda found: keep_best(found, plan, samples, work))
    work.check_stop()
    finish(judged, plan, facts, samples, work, command)


def _masks(plan: Plan, facts: Facts, wardrobe: Wardrobe, work: Work, command: tuple[str, ...]) -> None:
    samples = wardrobe.masks(plan)
    work.tick("data")
    contest = MaskContest(plan=plan, facts=facts, samples=samples, work=work)
    judged = climb(plan, contest, work, lambda found: keep_best_masks(found, plan, samples, work))
    work.check_stop()
    finish_masks(judged, plan, samples, work, command)


def _planned(
    prepared: Prepared,
    request: Request,
    given: PlanFile | None,
    wardrobe: Wardrobe,
    work: Work,
) -> tuple[PlanFile, Facts]:
    """The run's plan and facts: from its folder, as given, or drafted. plan.toml is written last."""
    folder = work.folder
    if folder.plan.exists():
        return read_plan(folder.plan), TypeAdapter(Facts).validate_python(read_json(folder.facts, "facts"))
    facts = known(prepared, request.budget_s, machine=known_machine(CACHE, budget_s=request.budget_s))
    if given is None and not isinstance(prepared.start.input, PatchInput):
        samples = wardrobe.samples(prepared.start)
        work.tick("data")
        facts = with_deep_facts(facts, samples, seed=prepared.start.seed, limit_s=share_s(facts))
    work.tick("facts")
    work.check_stop()
    if given is not None:
        file = given
        if isinstance(given.plan.input, PatchInput):
            file = within_memory(given, facts, measurer(facts, wardrobe), work.note)
        if request.budget_s is not None:
            rungs = enumerate(file.plan.ladder.rungs)
            steps = tuple(StepTime(plan=file.plan, rung=place) for place, rung in rungs if not rung.copy_of)
            facts = replace(facts, measured=timer(facts, wardrobe)(steps))
    else:
        if request.evidence:
            facts = replace(facts, evidence=prior())
        drafted = decide(prepared, facts, wardrobe, request.edits, request.without, request.only)
        file, facts = PlanFile(drafted.plan, drafted.decisions), drafted.facts
    work.tick("measurements")
    left_s = work.clock.left_s - work.reserve_s
    if left_s < LEAST_TRAINING_S:
        least = work.clock.spent_s + work.reserve_s + LEAST_TRAINING_S
        raise BudgetError(
            f"a budget of {request.budget_s:.0f} s leaves no time for training: {work.clock.spent_s:.1f} s went into "
            f"starting, reading and measuring, and {work.reserve_s:.0f} s are kept for predictions and the report. "
            f"The least that works here is about {1.25 * least:.0f} s."
        )
    write_json(folder.facts, "facts", facts)
    write_whole(folder.plan, to_toml(file.plan, file.decisions))
    return file, facts


def _given(plan: Plan | Path | str | None, edits: Sequence[str]) -> PlanFile | None:
    """The plan that the user brought, with the edits in it."""
    if plan is None:
        return None
    file = PlanFile(plan, ()) if isinstance(plan, Plan) else read_plan(Path(plan))
    if not edits:
        return file
    by_hand = Decision(tip="by hand", outcome="applied", because="--set", sets=tuple(e.split("=")[0] for e in edits))
    return replace(file, plan=edit(file.plan, edits), decisions=(*file.decisions, by_hand))


def _fits(plan: Plan, dataset: Dataset) -> None:
    """Raises: PlanError when the plan is for other data, or trains nothing."""
    task, found = dataset.targets.task, start_plan(dataset, plan.seed).input
    if plan.task.kind != task:
        raise PlanError(f'the plan is for task "{plan.task.kind}", but the data is "{task}": draft a new plan.')
    if plan.input.kind != found.kind:
        raise PlanError(f'the plan is for input "{plan.input.kind}", but the data is "{found.kind}": draft a new plan.')
    if isinstance(plan.input, ImageInput) and isinstance(found, ImageInput) and plan.input.channels != found.channels:
        raise PlanError(
            f"the plan is for images of {plan.input.channels} channels, but those of the data have {found.channels}: "
            f"draft a new plan, or --set input.channels={found.channels}."
        )
    if not plan.ladder.baselines and not plan.ladder.rungs:
        raise PlanError("the plan has nothing to train: it names neither baselines nor rungs.")
    check_rungs(plan)


def _called(data: object) -> str:
    return data if isinstance(data, str) else type(data).__name__


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _stopped(folder: RunFolder, stop: StopRequest) -> Stopped:
    kept = "the best model so far is in it and " if folder.network.exists() else ""
    return Stopped(f"stopped by {stop.signal_name}: {folder.path} is saved, {kept}the same command goes on from here.")
