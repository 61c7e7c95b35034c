"""The ladder: baselines first, then a small network, then larger ones for as long as size pays, then their average.

Networks are compared with networks there: that a small one stays below boosted trees says little about larger ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fieldcraft.baselines.fit import fit_baseline
from fieldcraft.baselines.fitted import Kind, of_samples
from fieldcraft.baselines.store import save as save_baseline
from fieldcraft.data.splits import validates_at_random
from fieldcraft.errors import BudgetError, Diverged
from fieldcraft.plan import schema
from fieldcraft.plan.schema import Baseline, CoolDown, Plan, Retiming, TakenOver
from fieldcraft.prediction.calibration import as_outputs
from fieldcraft.records.facts import Facts
from fieldcraft.records.results import Candidate
from fieldcraft.report.metrics import spoken
from fieldcraft.tips.rough import A_FIFTH, BASELINES, FEW_PASSES
from fieldcraft.train.journal import Climbed
from fieldcraft.verbs.candidates import Judged, folder, keep, kept
from fieldcraft.verbs.contest import Contest
from fieldcraft.verbs.ensemble import average, concluded, declined, firsts
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.rung import Journalled, journalled, train_rung
from fieldcraft.verbs.samples import Samples
from fieldcraft.verbs.work import Work

BASELINE_PARTS = {"majority": 1, "linear": 19, "boosting": 30}  # what one does not use the next ones get
LEAST_BASELINE_S = 0.25  # a baseline gets at least this
FITTING_SHARE = 0.9  # of its time; the rest is for judging and keeping it
MANY_FOLDED = 2  # times as many samples as validation holds, from which on folds of the training part say more
LEAST_S = 1.0  # a rung with less time than this is not begun
MOSTLY = 0.5  # of the time that a network took, for which it is begun once more


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleContest:
    """Candidates for samples with one answer each."""

    plan: Plan
    facts: Facts
    samples: Samples
    work: Work

    @property
    def judge(self) -> Judge:
        """By the plan's metric, and by log-loss where that cannot tell."""
        return Judge(plan=self.plan, samples=self.samples)

    @property
    def training_samples(self) -> int:
        """Of which a pass over the data is made."""
        return len(self.samples.parts.train)

    def baseline(self, name: Baseline, judged: list[Judged]) -> Judged:
        """Majority, linear or boosting."""
        return _baseline(of_samples(name), self.plan, self.judge, judged, self.work)

    def rung(self, index: int, judged: list[Judged]) -> Judged:
        """A network."""
        return train_rung(index, self.plan, self.facts, self.judge, judged, self.work)

    def average(self, judged: list[Judged]) -> Judged | None:
        """Candidates together, by weights chosen on validation."""
        return concluded(average(judged, self.judge, self.work), self.judge.metric, self.work)


def climb(plan: Plan, contest: Contest, work: Work, best_so_far: Callable[[list[Judged]], None]) -> list[Judged]:
    """Train everything that the plan and the budget allow; what was finished earlier is read from disk.

    `best_so_far` is called after each candidate, so that a usable model is always on disk.
    Raises: Stopped when asked to stop; BudgetError when there was no time for anything.
    """
    judged: list[Judged] = []
    for name in plan.ladder.baselines:
        work.check_stop()
        judged.append(kept(work.folder.rungs, name) or contest.baseline(name, judged))
        best_so_far(judged)
    stopped = False  # networks that were taken over are no larger forms of those below them
    for index, rung in enumerate(plan.ladder.rungs):
        if stopped and not isinstance(rung.network, TakenOver):
            continue
        work.check_stop()
        found = kept(work.folder.rungs, rung.name)
        if found is None:
            go, because = _goes(index, plan, contest, judged, work)
            work.say(f"{rung.name}: {because}")
            if not go:
                stopped = True
                continue
            try:
                found = contest.rung(index, judged)
            except Diverged as error:
                if not judged:
                    raise
                work.note(f"the ladder ends below {rung.name}: {error}")
                stopped = True
                continue
        (work.folder.checkpoints / f"{rung.name}.safetensors").unlink(missing_ok=True)
        judged.append(found)
        best_so_far(judged)
    if not judged:
        raise BudgetError("the budget ended before anything was trained: give more time (--budget), and another --out.")
    if plan.ladder.ensemble == "if-better" and not declined(work):
        work.check_stop()
        together = kept(work.folder.rungs, schema.ENSEMBLE) or contest.average(judged)
        work.tick("ensemble")
        if together is not None:
            judged.append(together)
            best_so_far(judged)
    return judged


def _baseline(name: Kind, plan: Plan, judge: Judge, judged: list[Judged], work: Work) -> Judged:
    samples, task = judge.samples, plan.task.kind
    began = work.clock.spent_s
    budget_s = work.clock.budget_s
    validation, train = samples.flat(samples.parts.validation), samples.flat(samples.parts.train)
    limit_s = None
    if budget_s is not None:
        share = BASELINES["image" if samples.pixels is not None else "table"]
        room_s = min(share, A_FIFTH - work.spent_on("facts", "measurements") / budget_s) * budget_s
        order = plan.ladder.baselines
        ahead = sum(BASELINE_PARTS[of_samples(one)] for one in order[order.index(name) :])
        mine_s = (room_s - work.spent_on("baselines")) * BASELINE_PARTS[name] / ahead
        limit_s = max(LEAST_BASELINE_S, FITTING_SHARE * mine_s - (work.clock.spent_s - began))
    fitted = fit_baseline(
        name,
        train,
        samples.truth("train"),
        task,
        samples.outputs,
        seconds=limit_s,
        threads=plan.execution.threads,
        seed=plan.seed,
        validation=(validation, samples.truth("validation")),
        groups=samples.groups("train"),
    )
    save_baseline(fitted, folder(work.folder.rungs, name) / "model.skops")
    found = as_outputs(fitted.scores(validation), task)
    many = len(train) >= MANY_FOLDED * len(validation) and validates_at_random(samples.dataset)
    done = Judged(
        candidate=Candidate(
            name=name, kind="baseline", validation=judge.value(found), noise=judge.noise(found, judged),
            seconds=work.clock.spent_s - began, sample=fitted.sample, note=fitted.note,
            folds=fitted.folds if many else (),
        ),
        outputs=found,
    )  # fmt: skip
    keep(work.folder.rungs, done)
    work.tick("baselines")
    work.say(f"{name}: {spoken(judge.metric)} {done.candidate.validation:.4g} on validation")
    return done


def _goes(index: int, plan: Plan, contest: Contest, judged: list[Judged], work: Work) -> tuple[bool, str]:
    """Whether a rung is trained; journalled before it acts, and read from there by a resumed run."""
    rung = plan.ladder.rungs[index]
    for event in work.journal.read():
        if isinstance(event, Climbed) and event.rung == rung.name:
            return event.go, event.because
    go, because = _decides(index, plan, contest, judged, work)
    work.journal.write(Climbed(rung=rung.name, go=go, because=because))
    return go, because


def _decides(index: int, plan: Plan, contest: Contest, judged: list[Judged], work: Work) -> tuple[bool, str]:
    rung, left_s = plan.ladder.rungs[index], work.clock.left_s - work.reserve_s
    if left_s < LEAST_S:
        return False, f"stopped below it: {max(0.0, left_s):.1f} s were left for training"
    if plan.ladder.climb == "always":
        return True, "the plan trains every rung"
    if isinstance(rung.network, TakenOver):
        return True, "its weights were given: it is tried whatever the networks below it gained"
    if index == 0:
        return True, "the first network"
    if rung.copy_of:
        return _repeats(rung, contest, judged, left_s)
    below, smaller = judged[-1], [one for one in judged[:-1] if one.candidate.kind == "rung"]
    if not smaller:
        return True, f"the second network: {below.candidate.name} alone cannot show whether size pays"
    found = contest.judge.compare(below.outputs, contest.judge.best(smaller).outputs)
    words = f"{below.candidate.name} was compared with the best network before it: {found.words}"
    if found.better:
        return True, words
    passes = (below.candidate.steps or 0) * plan.batch.size / max(1, contest.training_samples)
    if passes < FEW_PASSES:
        return True, f"{words}, but {passes:.2g} passes over the data are too few to tell"
    return False, f"stopped below it: {words}"


def _repeats(rung: schema.Rung, contest: Contest, judged: list[Judged], left_s: float) -> tuple[bool, str]:
    """Whether a network is trained once more: where it is the best one, and there is time for most of it."""
    networks = [one for one in firsts(judged) if one.candidate.kind == "rung"]
    first = next((one for one in networks if one.candidate.name == rung.copy_of), None)
    if first is None:
        return False, f"left out: {rung.copy_of}, which it repeats, was not trained"
    if first.candidate.seconds * MOSTLY > left_s:
        return False, f"left out: {left_s:.0f} s are left, and {rung.copy_of} took {first.candidate.seconds:.0f} s"
    best = contest.judge.best(networks)
    if (found := contest.judge.compare(best.outputs, first.outputs)).better:
        return False, f"left out: {best.candidate.name} is better than {rung.copy_of}, which it repeats: {found.words}"
    return True, f"{rung.copy_of} once more, from other starting weights"


def carried_out(plan: Plan, judged: Sequence[Judged], work: Work) -> Plan:
    """The plan as it was carried out: rungs trained, what was decided about each on the way; repeats them exactly."""
    trained = {one.candidate.name for one in judged}
    rungs = tuple(_as_trained(rung, journalled(rung, work)) for rung in plan.ladder.rungs if rung.name in trained)
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs, climb="always"))


def _as_trained(rung: schema.Rung, decided: Journalled) -> schema.Rung:
    """A repeat ends where this run did, however much time is left."""
    return replace(
        rung,
        most_steps=0,
        retimings=(*rung.retimings, *(one for one in decided.ends if isinstance(one, Retiming))),
        cool_downs=(*rung.cool_downs, *(one for one in decided.ends if isinstance(one, CoolDown))),
        smaller_micros=decided.smaller,
        back_offs=decided.back_offs,
    )
