"""How a proof is laid out before its first trial: factors, folds, seconds of a trial; kept for its next sittings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import get_args

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass as checked

from fieldcraft.data.dataset import Dataset
from fieldcraft.data.folds import ORIGINS, check_folds
from fieldcraft.data.splits import Parts
from fieldcraft.errors import PlanError
from fieldcraft.plan.edit import edit
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import to_toml
from fieldcraft.proof.design import Kind, screening
from fieldcraft.proof.journal import ProofJournal
from fieldcraft.proof.schedule import FIRST_PAIR, SCREENED_FROM, base_arm, toggled_arm
from fieldcraft.records.brief import Brief
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import read_json, write_json, write_whole
from fieldcraft.records.proof import Effect, Setting, Stage, Trial
from fieldcraft.tips import ALL, epochs
from fieldcraft.tips.factors import Factors, factors
from fieldcraft.tips.outside import with_outside
from fieldcraft.tips.rough import training_seconds
from fieldcraft.verbs.arms import Arms, Drafting, Planned
from fieldcraft.verbs.bench import pair_seed
from fieldcraft.verbs.draft import measurer
from fieldcraft.verbs.shelf import Shelf
from fieldcraft.verbs.subject import Subject, machine_share
from fieldcraft.verbs.trial_time import LEAST_STEPS, check_trial_budget, trial_seconds

FACTS, PLAN, LAYOUT, ARMS = "facts.json", "plan.toml", "layout.json", "arms"
SUPPOSED_FACTORS = 12
"""Until the first draft says how many there are."""
REDRAFTED_FROM = 1.3
"""Times as long, or as short, that trials must turn out for the plan to be drafted again."""
MEASURING, MEASURING_S = 0.0005, (0.2, 2.0)
"""Of the budget, for the step times of one arm; and its bounds."""
FULL_FROM = 1.5
"""Times as long as a trial that the full budget must be to be a stage of its own."""
FOLDS_LOOKED_AT = 20


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a user wants of a proof."""

    tips: tuple[str, ...]
    budget_s: float
    metric: str | None
    effect: Effect
    equal_steps: bool
    alpha: float
    margin: float | None
    workers: int
    threads: int
    """Of each worker."""
    trial_s: float | None
    seed: int

    @property
    def measuring_s(self) -> float:
        """Seconds for the step times of one arm."""
        low, high = MEASURING_S
        return min(high, max(low, MEASURING * self.budget_s))


@checked(frozen=True, kw_only=True)
class Kept:
    """What a proof found out before it began, beside its setting."""

    not_tested: dict[str, str]
    notes: tuple[str, ...]


@dataclass(kw_only=True, eq=False)
class Layout:
    """A proof that can begin, or go on."""

    setting: Setting
    kept: Kept
    facts: Facts
    """With the measurements that the plan as it stands rests on."""
    shelf: Shelf
    subject: Subject
    asked: Asked
    short: Arms
    full: Arms | None = None
    """Made when its stage begins."""

    @property
    def factors(self) -> Factors:
        """What is tested."""
        return Factors(names=self.setting.factors, base=self.setting.base, not_tested=self.kept.not_tested)

    def shelve(self, trial: Trial) -> None:
        """Make the plan of a trial, unless it is there."""
        if self.shelf.found(trial.stage, trial.arm.on) is None:
            planned = self._arms(trial.stage).planned(self.factors, trial.arm.on)
            self.shelf.put(trial.stage, planned)

    def carried(self) -> Shelf:
        """All plans that any trial may need, made now, for workers on machines that do not see the folder."""
        trials = tuple(_possible(self.setting))
        for trial in trials:
            self.shelve(trial)
        return self.shelf.carrying((trial.stage, trial.arm.on) for trial in trials)

    def _arms(self, stage: Stage) -> Arms:
        if stage != "full":
            return self.short
        if self.full is None:
            self.full = _arms(self.subject, self.facts, self.asked, self.setting.trial_s["full"])
        return self.full


def _possible(setting: Setting) -> Iterator[Trial]:
    """A trial of every arm that the schedule can come to."""
    for stage in setting.trial_s:
        if stage != "screen":
            arms = [base_arm(setting), *(toggled_arm(setting, factor) for factor in setting.factors)]
            yield from (Trial(stage=stage, arm=arm, pair=FIRST_PAIR[stage]) for arm in arms)
        elif len(setting.factors) >= SCREENED_FROM:
            for kind in get_args(Kind):
                yield from screening(setting, kind, FIRST_PAIR[stage])


def laid_out(subject: Subject, pool: Dataset, journal: ProofJournal, asked: Asked) -> Layout:
    """Lay a proof out, or read how it was laid out.

    Raises: PlanError when there is nothing to prove; BudgetError; DataError; RunError when the folder holds a proof
    that asks something else.
    """
    before = journal.setting()
    return _begun(subject, pool, journal, asked) if before is None else _gone_on(before, subject, journal, asked)


def _begun(subject: Subject, pool: Dataset, journal: ProofJournal, asked: Asked) -> Layout:
    """Everything that trials need is on disk before the setting, which is written last."""
    folder = journal.folder
    machine = machine_share(asked.workers, asked.threads, budget_s=asked.budget_s)
    arms, found = _drafted(subject, subject.facts(machine, asked.budget_s), asked)
    found = arms.tested(found)
    if not found.names:
        raise PlanError(_nothing(found))
    base = arms.drafting.base()
    seeds = tuple(pair_seed(asked.seed, "confirm", FIRST_PAIR["confirm"] + place) for place in range(FOLDS_LOOKED_AT))
    fold = check_folds(pool, base.plan.splits, seeds)
    facts = arms.drafting.facts
    kept = Kept(not_tested=dict(found.not_tested), notes=_notes(pool, fold, arms, subject))
    write_json(folder / FACTS, "facts", replace(facts, budget=replace(facts.budget, seconds=arms.drafting.budget_s)))
    write_whole(folder / PLAN, to_toml(base.plan, base.decisions))
    write_json(folder / LAYOUT, "proof-layout", kept)
    shelf = Shelf(folder=folder / ARMS)
    shelf.put("confirm", Planned(on=found.base, toml=to_toml(arms.base)))
    setting = journal.begin(_setting(subject, pool, fold, arms, found, asked))
    return Layout(
        setting=setting, kept=kept, facts=facts, shelf=shelf, subject=subject, asked=asked, short=arms
    )  # fmt: skip


def _gone_on(before: Setting, subject: Subject, journal: ProofJournal, asked: Asked) -> Layout:
    """With the factors and the seconds of a trial that it had; what the user asks must be the same."""
    folder = journal.folder
    trial_s = dict(before.trial_s) | (
        {} if asked.trial_s is None else {"screen": asked.trial_s, "confirm": asked.trial_s}
    )
    setting = journal.begin(
        replace(
            before, metric=asked.metric or before.metric, seed=asked.seed, effect=asked.effect, alpha=asked.alpha,
            equal="steps" if asked.equal_steps else "minutes", margin=asked.margin or before.margin, trial_s=trial_s,
            workers=asked.workers, planned_s=subject.fit_s, wanted=_wanted(subject, asked, before.wanted["the plan"]),
        )
    )  # fmt: skip
    facts = TypeAdapter(Facts).validate_python(read_json(folder / FACTS, "facts"))
    kept = TypeAdapter(Kept).validate_python(read_json(folder / LAYOUT, "proof-layout"))
    shelf = Shelf(folder=folder / ARMS)
    arms = _arms(subject, facts, asked, setting.trial_s["confirm"])
    planned = shelf.found("confirm", setting.base)
    if planned is not None and isinstance(planned.plan, Plan):
        arms = replace(arms, base=planned.plan)
    return Layout(
        setting=setting, kept=kept, facts=facts, shelf=shelf, subject=subject, asked=asked, short=arms
    )  # fmt: skip


def _drafted(subject: Subject, facts: Facts, asked: Asked) -> tuple[Arms, Factors]:
    """The plan as it stands for trials that fit into the budget, and what could be tested in it."""
    tips = with_outside(ALL)
    most_s = full_seconds(subject, facts)
    overhead = subject.kind.overhead
    many = len(asked.tips) or SUPPOSED_FACTORS
    trial_s = asked.trial_s or trial_seconds(asked.budget_s, asked.workers, many, most_s, overhead)
    while True:
        check_trial_budget(trial_s, asked.budget_s, asked.workers, overhead)
        arms = _arms(subject, facts, asked, trial_s)
        found = factors(arms.drafting.base().decisions, tips, asked.tips)
        if asked.trial_s is not None:
            return arms, found
        steps = arms.base.ladder.rungs[-1].steps
        fitting = trial_seconds(asked.budget_s, asked.workers, len(found.names), most_s, overhead)
        # Steps are rounded down: of a step that takes as long as a trial, twice as many might fit.
        wanted = min(most_s, max(fitting, trial_s * LEAST_STEPS / (steps + 1)))
        facts = arms.drafting.facts
        if 1 / REDRAFTED_FROM <= wanted / trial_s <= REDRAFTED_FROM or not found.names:
            return arms, found
        trial_s = wanted if wanted > trial_s else max(wanted, trial_s / 4)


def _arms(subject: Subject, facts: Facts, asked: Asked, trial_s: float) -> Arms:
    edits = subject.edits
    if asked.metric and asked.metric not in subject.kind.own_metrics:
        _check_metric(subject, asked.metric)
        edits = (*edits, f"task.metric={asked.metric}")
    drafting = Drafting(
        prepared=subject.prepared, facts=facts, tips=with_outside(ALL), edits=edits, left_out=subject.without,
        steps=subject.kind.steps, measure=measurer(facts, subject.wardrobe, limit_s=asked.measuring_s), trial_s=trial_s,
    )  # fmt: skip
    return Arms.of(drafting, asked.effect, equal_steps=asked.equal_steps)


def _check_metric(subject: Subject, metric: str) -> None:
    try:
        edit(subject.prepared.start, [f"task.metric={metric}"])
    except PlanError as error:
        told = str(error).replace(f"--set task.metric={metric}", f"--metric {metric}")
        if own := subject.kind.own_metrics:
            told += f" A proof takes {', '.join(own)}, too."
        raise PlanError(told) from None


def full_seconds(subject: Subject, facts: Facts) -> float:
    """Seconds that the largest network trains in a fit of the full budget."""
    return (1 - epochs.SMALL_SHARE) * training_seconds(Brief(facts=facts), subject.fit_s)


def _setting(subject: Subject, pool: Dataset, fold: Parts, arms: Arms, found: Factors, asked: Asked) -> Setting:
    trial_s = arms.drafting.trial_s
    full_s = full_seconds(subject, arms.drafting.facts)
    stages: dict[Stage, float] = {"screen": trial_s, "confirm": trial_s}
    if full_s >= FULL_FROM * trial_s:
        stages["full"] = full_s
    metric = arms.base.task.metric
    name = metric if isinstance(metric, str) else metric.target
    if asked.metric in subject.kind.own_metrics:
        name = asked.metric
    return Setting(
        factors=found.names,
        base=found.base,
        metric=name,
        higher_is_better=subject.kind.higher_is_better(arms.base, name),
        seed=asked.seed,
        effect=asked.effect,
        equal="steps" if asked.equal_steps else "minutes",
        alpha=asked.alpha,
        margin=asked.margin or subject.kind.margin(name, pool),
        overlap=len(fold.test) / len(fold.train),
        folds=0 if pool.times is None else ORIGINS,
        trial_s=stages,
        workers=asked.workers,
        planned_s=subject.fit_s,
        wanted=_wanted(subject, asked, _digest(to_toml(arms.base))),
    )


def _wanted(subject: Subject, asked: Asked, plan: str) -> Mapping[str, str]:
    return {
        "the data": subject.prepared.digest, "the plan": plan, "--tips": ", ".join(asked.tips) or "all",
        "--set": " ".join(subject.edits), "--without": " ".join(sorted(subject.without)),
        "the use of evidence": "yes" if subject.evidence else "no",
        "threads of a worker": str(asked.threads),
    }  # fmt: skip


def _notes(pool: Dataset, fold: Parts, arms: Arms, subject: Subject) -> tuple[str, ...]:
    rung, drafting = arms.base.ladder.rungs[-1], arms.drafting
    length = (
        f"A trial trains the largest network alone, {rung.steps:,} steps in about {drafting.trial_s:.3g} s, as the "
        f"plan of a fit of {drafting.budget_s:.3g} s has it; a fit of {subject.fit_s:.0f} s is what is planned."
    )
    return (length, *subject.kind.notes(pool, fold))


def _nothing(found: Factors) -> str:
    reasons = "; ".join(f"{name}: {because}" for name, because in list(found.not_tested.items())[:4])
    return f"there is nothing to prove: no tip changes what is trained here ({reasons} ...)."


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
