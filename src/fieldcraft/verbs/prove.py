"""Prove: which tips paid on this data, by trainings that differ in nothing else."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, assert_never, get_args

import psutil

from fieldcraft.data.dataset import Dataset, ReadOptions
from fieldcraft.data.folds import pooled
from fieldcraft.errors import BudgetError, FieldcraftError, PlanError, Stopped
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import to_toml
from fieldcraft.proof.conduct import Progress, conduct
from fieldcraft.proof.document import read_proof, write_proof
from fieldcraft.proof.engine import Engine, Inline, Run
from fieldcraft.proof.journal import ProofJournal
from fieldcraft.proof.ray_engine import OnRay, require_ray
from fieldcraft.proof.workers import Processes
from fieldcraft.records.decision import Decision
from fieldcraft.records.files import write_whole
from fieldcraft.records.proof import Effect, Proof
from fieldcraft.report.proof_page import write_proof_page
from fieldcraft.report.run_report import write_report
from fieldcraft.tips import ALL
from fieldcraft.tips.outside import with_outside
from fieldcraft.train.engine import restored
from fieldcraft.verbs.arms import Drafting
from fieldcraft.verbs.audit import Care, limit_of
from fieldcraft.verbs.budget import seconds
from fieldcraft.verbs.disk import writing_into
from fieldcraft.verbs.draft import measurer
from fieldcraft.verbs.interrupt import listening
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.proof_kind import Trials
from fieldcraft.verbs.proof_layout import Asked, Layout, laid_out
from fieldcraft.verbs.proof_share import WORTH_S, measured_share
from fieldcraft.verbs.proven import kept, told
from fieldcraft.verbs.sample_proof import SAMPLES
from fieldcraft.verbs.shelf import PlannedFirst
from fieldcraft.verbs.subject import Subject, subject
from fieldcraft.verbs.weights import Weights, listed

EngineName = Literal["processes", "ray", "inline"]
PROOF, PROVEN, PAGE, LEDGER, LOGS = "proof.json", "proven.toml", "proof.html", "ledger.jsonl", "logs"
WORKER_MIB = 1_500
"""Memory that a worker is supposed to need."""
ENDING = 1.4
"""Times the seconds of two trainings that are kept for the last look."""
ENDING_S = 6.0
"""Kept beside it for the proven plan and the page."""
MOST_ENDING = 0.25
"""Of the budget, kept for the end at the most: below that there is no last look."""
TOO_LONG = 5.0
"""Times its planned seconds, and what comes beside training, after which a trial is stopped."""


def prove(
    what: object,
    *,
    tips: Sequence[str] = (),
    budget: str | float = "30m",
    metric: str | None = None,
    effect: Effect = "total",
    equal: Literal["minutes", "steps"] = "minutes",
    alpha: float = 0.05,
    margin: float | None = None,
    workers: int | None = None,
    engine: EngineName = "processes",
    address: str | None = None,
    trial_budget: str | float | None = None,
    fit_budget: str | float | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    data: object = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    edits: Sequence[str] = (),
    without: Sequence[str] = (),
    skip_bad: bool = False,
    relabel: str | Path | None = None,
    evidence: bool = True,
    weights: Weights | None = None,
    see: Callable[[Progress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda text: None,
    command: Sequence[str] = (),
    started: float | None = None,
) -> Proof:
    """Say of each tip whether it paid on this data: effect, interval, cost.

    `what`: a run (its folder), or data as `fit` takes it. `tips`: those in question, or changes such as
    "input.augment.mixup=0.2" to be tried; by default all that changed the plan. `effect`: "total", the other tips
    decide again without it, or "direct", everything else stays pinned. `equal`: arms get equal planned minutes, or
    steps. `alpha`: chance of any wrong verdict. `margin`: what matters, in units of the metric; by default 0.2 points.
    `budget`: wall clock of all sittings together; the same call with more goes on. `trial_budget`: seconds of training
    in a trial, by default what lets the budget decide. `fit_budget`: of the fit whose tips are in question, by default
    the run's, or 10 minutes. `engine`: "processes" on this machine, "ray" on a cluster (at `address`), or "inline" in
    this process. `data`: a run's source again, where it lay in memory. `evidence`: of data without a run, leave out
    tips that proofs on file speak against. `weights`: of data without a run, pretrained ones as `fit` takes them.

    Writes setting.json, trials.jsonl, proof.json, proven.toml and proof.html into `out`, by default the folder `proof`
    in the run's, or runs/NAME/proof.
    Raises: DataError, PlanError, BudgetError, RunError; Stopped after Ctrl-C or SIGTERM, with everything on disk.
    """
    began = time.monotonic() if started is None else started
    budget_s = seconds(budget)
    if budget_s is None:
        raise BudgetError("a proof needs a budget: it would never be sure enough to end by itself. Give --budget 30m.")
    _check(tips, alpha, margin, workers, engine)
    care = Care(
        skip_bad=skip_bad, relabel=None if relabel is None else Path(relabel), limit_s=limit_of(budget_s), say=say
    )
    with restored(), listening() as stop:
        about = subject(
            what, source=data, options=options, edits=edits, without=without, seed=seed, fit_s=seconds(fit_budget),
            evidence=evidence, care=care, weights=listed(weights),
        )  # fmt: skip
        folder = about.folder if out is None else Path(out)
        journal = ProofJournal(folder)
        with writing_into(folder), journal.alone():
            for sentence in journal.mend():
                say(sentence)
            spent_s = journal.seconds()
            many, threads = _share(journal, workers, engine, budget_s)
            asked = Asked(
                tips=tuple(tips), budget_s=budget_s, metric=metric, effect=effect, equal_steps=equal == "steps",
                alpha=alpha, margin=margin, workers=many, threads=threads,
                trial_s=seconds(trial_budget), seed=seed,
            )  # fmt: skip
            pool = pooled(about.prepared.dataset, about.prepared.parts)
            layout = laid_out(about, pool, journal, asked)
            if journal.read():
                say(f"goes on from {len(journal.read())} trials and {spent_s:.0f} s into the proof")
            for sentence in layout.kept.notes:
                say(sentence)
            maker = _maker(layout, pool, folder, travels=engine == "ray")
            try:
                proof = conduct(
                    layout.setting,
                    PlannedFirst(_engine(engine, maker, layout, folder, address), layout.shelve),
                    journal,
                    budget_s=budget_s - _ending_s(layout, budget_s),
                    spent_s=spent_s + time.monotonic() - began,
                    see=see,
                    stop=stop,
                )
            finally:
                (folder / SAMPLES).unlink(missing_ok=True)
            before = read_proof(folder / PROOF) if (folder / PROOF).exists() else None
            proof = replace(
                proof, not_tested=layout.kept.not_tested, notes=(*proof.notes, *layout.kept.notes),
                look=before.look if before else None,
            )  # fmt: skip
            if stop():
                _write(proof, folder, about)
                raise Stopped(
                    f"stopped by {stop.signal_name}: {folder} is saved, with what is known so far in {PROOF}; the same "
                    "command goes on from here."
                )
            left_s = budget_s - (spent_s + time.monotonic() - began)
            known = before is not None and before.verdicts == proof.verdicts
            proof = _ended(proof, layout, folder, left_s, tuple(command), known=known)
            journal.tick(spent_s + time.monotonic() - began)
            _write(proof, folder, about)
            say(f"The page: {folder / PAGE}. The plan with what was kept: fieldcraft fit DATA --plan {folder / PROVEN}")
            return proof


def _share(journal: ProofJournal, workers: int | None, engine: EngineName, budget_s: float) -> tuple[int, int]:
    """Workers and the threads of each: as given, as the proof began, or as measured where that is worth its time."""
    cores, begun = machine_facts().cores, journal.setting()
    many = workers or (default_workers() if begun is None else begun.workers)
    if workers is None and begun is None and many == cores > 1 and engine == "processes" and budget_s >= WORTH_S:
        share = measured_share(cores)
        return share.workers, share.threads
    return many, max(1, cores // many)


def default_workers() -> int:
    """One a core, as far as the memory reaches; one on a GPU."""
    machine = machine_facts()
    if machine.gpu is not None:
        return 1
    return max(1, min(machine.cores, int(psutil.virtual_memory().available / 2**20 / WORKER_MIB)))


def _check(tips: Sequence[str], alpha: float, margin: float | None, workers: int | None, engine: EngineName) -> None:
    for name in tips:
        if list(tips).count(name) > 1:
            raise PlanError(f"--tips names {name} twice: name it once.")
    if not 0 < alpha < 1:
        raise PlanError(f"--alpha must be between 0 and 1, such as 0.05, but got {alpha:g}.")
    if margin is not None and not margin > 0:
        raise PlanError(f"--margin must be above 0, in units of the metric (0.002 is 0.2 points), but got {margin:g}.")
    if workers is not None and workers < 1:
        raise PlanError(f"--workers must be 1 or more, but got {workers}.")
    if engine not in get_args(EngineName):
        raise PlanError(f"--engine must be one of {', '.join(get_args(EngineName))}, but got {engine}.")
    if engine == "ray":
        require_ray()


def _maker(layout: Layout, pool: Dataset, folder: Path, *, travels: bool) -> Callable[[], Run]:
    """What workers are given. `travels`: to machines that may not see the folder."""
    trials = Trials(
        pool=pool, base=layout.short.base, changes=(*layout.factors.names, *layout.short.drafting.edits),
        shelf=layout.carried() if travels else layout.shelf, facts=layout.facts, setting=layout.setting, folder=folder,
        travels=travels,
    )  # fmt: skip
    return layout.subject.kind.maker(trials)


def _engine(name: EngineName, maker: Callable[[], Run], layout: Layout, folder: Path, address: str | None) -> Engine:
    workers, threads = layout.asked.workers, layout.asked.threads
    beside_s = layout.subject.kind.beside_s
    limit_s = {stage: beside_s + TOO_LONG * planned for stage, planned in layout.setting.trial_s.items()}
    match name:
        case "inline":
            return Inline(maker())
        case "processes":
            return Processes(maker, workers, threads, logs=folder / LOGS, limit_s=limit_s)
        case "ray":
            return OnRay(maker, threads, address=address, limit_s=limit_s)
        case _:
            assert_never(name)


def _ending_s(layout: Layout, budget_s: float) -> float:
    """Seconds kept for the proven plan, the last look and the page."""
    look_s = ENDING * 2 * layout.setting.trial_s["confirm"]
    return min(MOST_ENDING * budget_s, ENDING_S + look_s)


def _ended(
    proof: Proof, layout: Layout, folder: Path, left_s: float, command: tuple[str, ...], *, known: bool
) -> Proof:
    """The proven plan on disk, and one more look at the test part where that says something.

    `known`: an earlier sitting ended with the same verdicts, so that its proven plan stands.
    """
    setting = layout.setting
    names = kept(proof.verdicts, setting.base, setting.factors)
    if not (known and (folder / PROVEN).exists()):
        plan, decisions = _proven(proof, layout, names)
        write_whole(folder / PROVEN, to_toml(plan, decisions))
    if proof.look is not None:
        return proof
    why = ""
    if set(names) == set(setting.base):
        why = "nothing was left out of the plan, so there is nothing to compare"
    elif not len(layout.subject.prepared.parts.test):
        why = "there is no test part"
    elif not proof.trusted:
        why = "a control failed"
    elif left_s < 2 * setting.trial_s["confirm"]:
        why = "no time was left for it"
    if why:
        return replace(proof, notes=(*proof.notes, f"No further look at the test part: {why}."))
    return _look(proof, layout, names, folder, command)


def _look(proof: Proof, layout: Layout, names: tuple[str, ...], folder: Path, command: tuple[str, ...]) -> Proof:
    about, arms = layout.subject, layout.short
    seeded = replace(arms.base, seed=about.prepared.start.seed)
    try:
        found = replace(arms.plan(layout.factors, names), seed=seeded.seed)
        ledger = Ledger(about.ledger or folder / LEDGER)
        look = about.kind.look(seeded, found, layout.facts, layout.setting, ledger, command)
    except FieldcraftError as error:
        return replace(proof, notes=(*proof.notes, f"No further look at the test part: {error}"))
    return replace(proof, look=look)


def _proven(proof: Proof, layout: Layout, names: tuple[str, ...]) -> tuple[Plan, tuple[Decision, ...]]:
    """The plan of a fit at its full budget, on the whole machine, with what was kept of the factors."""
    about, setting = layout.subject, layout.setting
    fitted = about.fitted()
    if fitted is not None and set(names) == set(setting.base) and layout.asked.metric is None:
        return fitted
    facts = about.run.facts if about.run else replace(layout.facts, machine=machine_facts(), measured={})
    facts = replace(facts, budget=replace(facts.budget, seconds=about.fit_s))
    drafting = Drafting(
        prepared=about.prepared, facts=facts, tips=with_outside(ALL), edits=layout.short.drafting.edits,
        left_out=about.without, measure=measurer(facts, about.wardrobe, limit_s=1.0), steps=about.kind.steps,
        trial_s=0.0, fit_s=about.fit_s,
    )  # fmt: skip
    factors = layout.factors
    if setting.effect == "direct":
        return drafting.direct(factors, names), told(drafting.base().decisions, proof.verdicts, setting.base)
    left_out = (about.without - set(factors.names)) | factors.off(names)
    found = drafting.drafted(left_out, (*drafting.edits, *factors.changes(names)))
    return found.plan, told(found.decisions, proof.verdicts, setting.base)


def _write(proof: Proof, folder: Path, about: Subject) -> None:
    write_proof(folder / PROOF, proof)
    name = about.run.path.name if about.run else about.prepared.dataset.name
    write_proof_page(proof, folder / PAGE, name=f"Which tips paid on {name}")
    run = about.run
    if run is not None and run.folder.proof == folder / PROOF and run.folder.results.exists():
        write_report(run.folder)
