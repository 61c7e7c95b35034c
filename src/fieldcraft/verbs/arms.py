"""The arms of a proof: for each set of factors that are on, the plan that a trial follows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from pydantic import ValidationError
from pydantic.dataclasses import dataclass as checked

from fieldcraft.errors import PlanError
from fieldcraft.plan.edit import edit
from fieldcraft.plan.revert import reverted
from fieldcraft.plan.schema import Ladder, Plan
from fieldcraft.plan.shape import to_document
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.records.brief import Brief
from fieldcraft.records.decision import Decision
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Budget, Facts
from fieldcraft.records.proof import Effect
from fieldcraft.tips import epochs
from fieldcraft.tips.draft import BY_HAND, Draft, draft
from fieldcraft.tips.factors import Factors, by_hand
from fieldcraft.tips.interface import Measurement, StepTime, Tip
from fieldcraft.tips.rough import budget_for
from fieldcraft.verbs.prepare import Prepared

Measure = Callable[[tuple[Measurement, ...]], Mapping[str, Fact[float]]]


@checked(frozen=True, kw_only=True)
class Planned:
    """The plan of an arm; kept, so that a proof that goes on trains what it trained before."""

    on: tuple[str, ...]
    toml: str = ""
    """A plan with one rung; empty where there is none."""
    error: str = ""
    """Why there is none."""

    @property
    def plan(self) -> Plan | str:
        """The plan, or why there is none."""
        return from_toml(self.toml).plan if self.toml else self.error


@dataclass(eq=False)
class Drafting:
    """Drafts the arms' plans for trials of one length; what was measured for one arm serves all others."""

    prepared: Prepared
    facts: Facts
    """Of data and machine; its measurements grow."""
    tips: Sequence[Tip]
    edits: tuple[str, ...]
    left_out: frozenset[str]
    """Tips that the user leaves out."""
    measure: Measure
    steps: Tip
    """That decides how many steps a trial has."""
    trial_s: float
    """Planned seconds of the training of one trial."""
    fit_s: float | None = None
    """The budget that is drafted for; None: that of a fit whose largest network gets as long as a trial."""
    drafts: dict[object, Draft] = field(default_factory=dict)

    @property
    def budget_s(self) -> float:
        """The budget that is drafted for."""
        return self.fit_s or budget_for(Brief(facts=self.facts), self.trial_s / (1 - epochs.SMALL_SHARE))

    def base(self) -> Draft:
        """The plan as it stands."""
        return self.drafted(self.left_out, self.edits)

    def drafted(
        self, without: frozenset[str], edits: tuple[str, ...], beside: Plan | None = None, asked: Iterable[str] = ()
    ) -> Draft:
        """Let the tips decide without some of them, over what is set by hand.

        `beside`: a plan whose steps are timed in turn with those that tips ask for. `asked`: tips that decide whatever
        evidence says. Raises: PlanError when that gives no valid plan.
        """
        key = (without, edits, frozenset(asked))
        if key not in self.drafts:
            found = draft(
                self._brief(self.budget_s), self.prepared.start, self.tips, measure=self._measuring(beside),
                without=without, edits=edits, asked=frozenset(asked),
            )  # fmt: skip
            self._learn(found.facts)
            self.drafts[key] = found
        return self.drafts[key]

    def total(self, factors: Factors, on: Sequence[str], beside: Plan) -> Plan:
        """Of all factors only some are on, and the other tips decide again.

        How the machine runs a plan (threads, precision, layout) is chosen by timings of some tenths of a second: those
        tips do not choose again for every arm, or their noise would make arms differ in what they are not about.
        Raises: PlanError when that gives no valid plan.
        """
        off = (self.left_out - set(factors.names)) | factors.off(on)
        machine = self._machine_tips()
        kept = self._kept_settings([name for name in machine if name not in off])
        added = [name for name in on if name not in factors.base and not by_hand(name)]
        return self.drafted(off | frozenset(machine), (*kept, *self.edits, *factors.changes(on)), beside, added).plan

    def direct(self, factors: Factors, on: Sequence[str]) -> Plan:
        """What the other factors set is taken back or put in; everything else stays as it is in the plan.

        Raises: PlanError when that gives no valid plan, or a factor cannot be put in without deciding again.
        """
        base = self.base()
        plan = base.plan
        for name in reversed(factors.base):
            if name not in on:
                plan = self._taken_back(plan, base, name)
        added = [name for name in factors.names if name in on and name not in factors.base]
        if tips := [name for name in added if not by_hand(name)]:
            raise PlanError(f"{tips[0]} was left out of the plan: only its total effect can be tried (--effect total).")
        return edit(plan, added)

    def settled(self, plan: Plan, beside: Plan | None = None) -> Plan:
        """The plan with its largest network alone, and as many steps as fit into a trial.

        Raises: PlanError when it has no network.
        """
        alone = _alone(plan)
        brief = self._brief(budget_for(Brief(facts=self.facts), self.trial_s))
        asked = frozenset((self.steps.name,))
        found = draft(brief, alone, (self.steps,), measure=self._measuring(beside), asked=asked)
        self._learn(found.facts)
        return found.plan

    def _measuring(self, beside: Plan | None) -> Measure:
        return self.measure if beside is None else lambda asked: self._in_turn(asked, beside)

    def _in_turn(self, asked: tuple[Measurement, ...], beside: Plan) -> Mapping[str, Fact[float]]:
        """Step times, taken in turn with those of another plan and brought to the pace at which it was timed.

        So a machine that is busy at the moment changes nothing in how long arms train beside each other.
        """
        reference = StepTime(plan=beside, rung=0)
        known = self.facts.measured.get(reference.key)
        if known is None or not isfinite(known.value):
            return self.measure(asked)
        found = dict(self.measure((reference, *asked)))
        now = found.pop(reference.key, None)
        if now is None:
            return found
        pace = known.value / now.value
        return {key: replace(fact, value=fact.value * pace) for key, fact in found.items()}

    def _machine_tips(self) -> tuple[str, ...]:
        """Tips that set nothing but how the machine runs the plan."""
        return tuple(
            one.tip for one in self.base().decisions
            if one.sets and one.tip != BY_HAND and all(name.startswith("execution.") for name in one.sets)
        )  # fmt: skip

    def _kept_settings(self, tips: Sequence[str]) -> tuple[str, ...]:
        """What some of these tips set, as changes by hand."""
        base = self.base()
        return tuple(
            f"{name}={_written(to_document(self._around(base, one.tip)[1].execution)[name.partition('.')[2]])}"
            for one in base.decisions if one.tip in tips
            for name in one.sets
        )  # fmt: skip

    def _taken_back(self, plan: Plan, base: Draft, name: str) -> Plan:
        before, after = self._around(base, name)
        try:
            return reverted(plan, before, after)
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            built = ", ".join(_building_on(name, base.decisions)) or "later tips"
            raise PlanError(
                f"without what {name} set, and everything else as it is, the plan is not valid ({what}): {built} "
                "build on it. Its total effect can be tried (--effect total)."
            ) from error

    def _around(self, base: Draft, name: str) -> tuple[Plan, Plan]:
        """The plan before and after one tip decided; nothing is measured anew."""
        place = [tip.name for tip in self.tips].index(name)
        brief = Brief(facts=replace(base.facts, budget=Budget(seconds=self.budget_s)))
        plans = [
            draft(
                brief, self.prepared.start, self.tips[:until], measure=lambda asked: {}, edits=self.edits,
                without=self.left_out & {tip.name for tip in self.tips[:until]},
            ).plan
            for until in (place, place + 1)
        ]  # fmt: skip
        return plans[0], plans[1]

    def _brief(self, budget_s: float) -> Brief:
        return Brief(facts=replace(self.facts, budget=Budget(seconds=budget_s)))

    def _learn(self, facts: Facts) -> None:
        self.facts = replace(self.facts, measured=facts.measured)


@dataclass(frozen=True, kw_only=True, eq=False)
class Arms:
    """Plans by what is on, as far as they were made."""

    drafting: Drafting
    effect: Effect
    equal_steps: bool
    base: Plan
    """What a trial of the plan as it stands follows."""

    @classmethod
    def of(cls, drafting: Drafting, effect: Effect, *, equal_steps: bool) -> "Arms":
        """Begin with the plan as it stands. Raises: PlanError when it has no network."""
        base = drafting.settled(drafting.base().plan)
        return cls(drafting=drafting, effect=effect, equal_steps=equal_steps, base=base)

    def planned(self, factors: Factors, on: tuple[str, ...]) -> Planned:
        """The plan of an arm, or why it has none."""
        try:
            return Planned(on=on, toml=to_toml(self.plan(factors, on)))
        except PlanError as error:
            return Planned(on=on, error=str(error))

    def plan(self, factors: Factors, on: Sequence[str]) -> Plan:
        """What a trial of an arm follows. Raises: PlanError when there is no such plan."""
        if set(on) == set(factors.base):
            return self.base
        pinned = self.effect == "direct" or self.equal_steps
        drafting = self.drafting
        found = drafting.direct(factors, on) if self.effect == "direct" else drafting.total(factors, on, self.base)
        found = _same_process(found, self.base)
        plan = _alone(found) if pinned else drafting.settled(found, self.base)
        top, base = plan.ladder.rungs[-1], self.base.ladder.rungs[-1]
        # Streams go by the rung's name: whatever network is trained, it shares them with the others of its pair.
        rung = replace(top, name=base.name, steps=base.steps if pinned else top.steps)
        return replace(plan, ladder=replace(plan.ladder, rungs=(rung,)))

    def tested(self, factors: Factors) -> Factors:
        """The factors that change what is trained; the others with the reason why they are not tested."""
        dropped: dict[str, str] = {}
        for name in factors.names:
            on = toggled(factors, name)
            try:
                plan = self.plan(factors, on)
            except PlanError as error:
                dropped[name] = f"{'without' if name in factors.base else 'with'} it there is no plan: {error}"
                continue
            if plan == self.base:
                dropped[name] = "it changes nothing in what a trial trains, the largest network of the plan"
        return factors.without(dropped)


def toggled(factors: Factors, name: str) -> tuple[str, ...]:
    """What is on when one factor is not as in the plan."""
    return tuple(one for one in factors.names if (one in factors.base) != (one == name))


def plans_of(planned: Iterable[Planned]) -> Mapping[tuple[str, ...], Plan | str]:
    """The plans by what is on."""
    return {one.on: one.plan for one in planned}


def _alone(plan: Plan) -> Plan:
    """With its largest network alone. Raises: PlanError when it has none."""
    if not plan.ladder.rungs:
        raise PlanError("it has no network to train")
    largest = [rung for rung in plan.ladder.rungs if not rung.copy_of][-1]
    rung = replace(largest, most_steps=0, retimings=(), cool_downs=(), back_offs=())
    return replace(plan, ladder=Ladder(baselines=(), rungs=(rung,), climb="always"))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _same_process(plan: Plan, base: Plan) -> Plan:
    """With the allocator of another plan: it works only from the start of a process, which trials share."""
    return replace(plan, execution=replace(plan.execution, allocator=base.execution.allocator))


def _building_on(name: str, decisions: Sequence[Decision]) -> list[str]:
    """The later tips that set fields of the parts that a tip set."""
    place = [one.tip for one in decisions].index(name)
    parts = {one.rpartition(".")[0] for one in decisions[place].sets}
    return [one.tip for one in decisions[place + 1 :] if any(field.rpartition(".")[0] in parts for field in one.sets)]
