"""The fold: tips decide one after the other over a plan; their questions are answered, their traces kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from pydantic import ValidationError

from fieldcraft.errors import PlanError
from fieldcraft.plan.diff import diff
from fieldcraft.plan.edit import check_names, edit, of_steps, parse
from fieldcraft.plan.masks import PatchInput
from fieldcraft.plan.rungs import check_rungs
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.shape import leaves, nearest
from fieldcraft.records.brief import Brief
from fieldcraft.records.decision import Decision
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Facts
from fieldcraft.tips.interface import Applied, Ask, Measurement, Skipped, Tip
from fieldcraft.tips.masks import ELSEWHERE

BY_HAND = "by hand"
"""The name under which edits stand among the decisions."""
Measure = Callable[[tuple[Measurement, ...]], Mapping[str, Fact[float]]]
NEVER = float("inf")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A plan, how it came about, and the facts with every answer that tips asked for."""

    plan: Plan
    decisions: tuple[Decision, ...]
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class _State:
    """What one tip hands to the next."""

    plan: Plan
    brief: Brief
    decisions: tuple[Decision, ...] = ()
    unanswered: frozenset[str] = frozenset()
    """Questions that could not be measured; inside the fold they count as infinite."""


def draft(
    brief: Brief,
    start: Plan,
    tips: Sequence[Tip],
    *,
    measure: Measure,
    without: frozenset[str] = frozenset(),
    edits: Sequence[str] = (),
    asked: frozenset[str] = frozenset(),
) -> Draft:
    """Let every tip decide in turn, over the plan that the ones before it left.

    Edits (`field=value`) hold throughout: they are made before the first tip, so that tips can take them into account,
    and again after each tip that overwrites them or makes the field that they name. A tip that only leaves networks
    out is passed over where edits name one of those. `measure` answers questions by their keys; one that it leaves out
    could not be measured and counts as infinite (an infinitely slow step). It may say infinity itself, and why; that is
    not kept either.

    Tips that only look at networks have no part in it. Those that the brief's evidence speaks against are left out,
    unless they are `asked` for.

    Raises: PlanError when `without` or an edit names what does not exist or decides nothing; when a tip overwrites
    what another one set without naming it in `refines`, asks again for what it was told, or gives a plan that is
    not valid.
    """
    _check_left_out(without, tips)
    check_names(edits)
    written, edits = edits, [*edits, *_to_keep_steps(edits)]
    state = _State(plan=_by_hand(start, edits), brief=brief)
    for tip in tips:
        if tip.decide is None:
            continue
        if tip.inputs and state.plan.input.kind not in tip.inputs:
            continue
        if tip.name in without:
            decision = Decision(tip=tip.name, outcome="left-out", because="left out on request")
            state = replace(state, decisions=(*state.decisions, decision))
        elif (instead := _elsewhere(tip, state.plan)) is not None:
            decision = Decision(tip=tip.name, outcome="skipped", because=instead)
            state = replace(state, decisions=(*state.decisions, decision))
        elif (found := _refuted(tip, state)) and tip.name not in asked:
            state = replace(state, decisions=(*state.decisions, found))
        else:
            state = _decided(tip, state, measure, edits)
    final = edit(state.plan, edits)
    check_rungs(final)
    decisions = (*state.decisions, *(_edited(final, one) for one in written))
    measured = {
        key: fact
        for key, fact in state.brief.facts.measured.items()
        if key not in state.unanswered and isfinite(fact.value)
    }
    return Draft(plan=final, decisions=decisions, facts=replace(state.brief.facts, measured=measured))


def _to_keep_steps(edits: Sequence[str]) -> list[str]:
    """What goes with edits, so that a rung makes the steps that they give it, unless they say how far it may go."""
    named = [parse(one)[0] for one in edits]
    stretched = [(*keys[:-1], "most_steps") for keys in named if of_steps(keys)]
    return [f"{'.'.join(keys)}=0" for keys in stretched if keys not in named]


def _elsewhere(tip: Tip, plan: Plan) -> str | None:
    """What stands in for a tip in a plan for masks, which it knows nothing of; None where it has a part."""
    return ELSEWHERE.get(tip.name) if isinstance(plan.input, PatchInput) else None


def _refuted(tip: Tip, state: _State) -> Decision | None:
    """The decision to leave a tip out, where evidence for such samples and such a metric speaks against it."""
    brief = state.brief
    known = brief.evidence.of(tip.name, brief.data.inputs.kind, state.plan.task.metric)
    if known is None or known.standing == "open":
        return None
    return Decision(tip=tip.name, outcome="left-out", because=f"evidence: {known.because}; --no-evidence ignores it")


def _decided(tip: Tip, state: _State, measure: Measure, edits: Sequence[str]) -> _State:
    answer, state = _answered(tip, state, measure)
    if isinstance(answer, Skipped):
        decision = Decision(tip=tip.name, outcome="skipped", because=answer.because)
        return replace(state, decisions=(*state.decisions, decision))
    if wanted := _left_out_though_named(state.plan, answer.plan, edits):
        decision = Decision(tip=tip.name, outcome="skipped", because=f"{wanted} stays, as it was set by hand")
        return replace(state, decisions=(*state.decisions, decision))
    plan = _by_hand(answer.plan, edits)
    overruled = _differing(answer.plan, plan)
    sets = tuple(name for name in diff(state.plan, plan) if name not in overruled)
    _check_overwritten(tip, state, _differing(state.plan, plan) - overruled - _of_networks_left_out(state.plan, plan))
    note = f" (overruled by hand: {', '.join(_in_words(overruled, edits))})" if overruled else ""
    decision = Decision(tip=tip.name, outcome="applied", because=answer.because + note, sets=sets)
    return replace(state, plan=plan, decisions=(*state.decisions, decision))


def _answered(tip: Tip, state: _State, measure: Measure) -> tuple[Applied | Skipped, _State]:
    """What the tip decides once its questions are answered, and the state with the answers."""
    while True:
        answer = _decide(tip, state)
        if not isinstance(answer, Ask):
            return answer, state
        new = {one.key: one for one in answer.measurements if state.brief.measured(one.key) is None}
        if not new:
            asked = ", ".join(one.key for one in answer.measurements) or "nothing"
            raise PlanError(
                f"the tip {tip.name} asks again for what it was told ({asked}): its `decide` must use the facts in "
                f"`brief.measured`. To draft a plan without it: --without {tip.name}."
            )
        state = _told(state, new.keys(), measure(tuple(new.values())))


def _decide(tip: Tip, state: _State) -> Applied | Skipped | Ask:
    assert tip.decide is not None, f"{tip.name} has no `decide`"
    try:
        return tip.decide(state.brief, state.plan)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise PlanError(
            f"the tip {tip.name} made a plan that is not valid ({error.title} {field}: {first['msg']}). "
            f"To draft a plan without it: --without {tip.name}."
        ) from error


def _told(state: _State, asked: Iterable[str], answers: Mapping[str, Fact[float]]) -> _State:
    missing = frozenset(asked) - answers.keys()
    never = Fact(value=NEVER, method="could not be measured", sample="none")
    measured = {**state.brief.facts.measured, **answers, **dict.fromkeys(missing, never)}
    brief = Brief(facts=replace(state.brief.facts, measured=measured))
    return replace(state, brief=brief, unanswered=state.unanswered | missing)


def _by_hand(plan: Plan, edits: Sequence[str]) -> Plan:
    """The plan with the edits that it has room for; those that belong to one part are made together."""
    parts: dict[tuple[str, ...], list[str]] = {}
    for one in edits:
        parts.setdefault(parse(one)[0][:-1], []).append(one)
    for part in parts.values():
        try:
            plan = edit(plan, part)
        except PlanError:
            continue  # a later tip may make the rung or the part; `draft` makes all of them at the end, or says why not
    return plan


def _left_out_though_named(before: Plan, after: Plan, edits: Sequence[str]) -> str:
    """A network that edits name, where all that a tip did was to leave networks out; empty where there is none.

    An edit by number names all from the first that is left out: they would go by other numbers, or by none.
    """
    rungs = tuple(rung for rung in before.ladder.rungs if rung in after.ladder.rungs)
    if rungs == before.ladder.rungs or after != replace(before, ladder=replace(before.ladder, rungs=rungs)):
        return ""
    named = {keys[2] for keys, _ in map(parse, edits) if keys[:2] == ("ladder", "rungs") and len(keys) > 2}
    gone = [place for place, rung in enumerate(before.ladder.rungs) if rung not in rungs]
    numbers = [int(one) for one in named if one.isdecimal() and int(one) >= gone[0]]
    names = [rung.name for place, rung in enumerate(before.ladder.rungs) if place in gone and rung.name in named]
    return before.ladder.rungs[gone[0]].name if numbers else next(iter(names), "")


def _of_networks_left_out(before: Plan, after: Plan) -> frozenset[str]:
    """Fields of networks that are not in the plan any more, but for their names: who laid them down has to be named."""
    left = {rung.name for rung in after.ladder.rungs}
    gone = tuple(f"ladder.rungs.{rung.name}." for rung in before.ladder.rungs if rung.name not in left)
    return frozenset(name for name in leaves(before) if name.startswith(gone) and not name.endswith(".name"))


def _edited(plan: Plan, assignment: str) -> Decision:
    keys, _ = parse(assignment)
    names = {index: rung.name for index, rung in enumerate(plan.ladder.rungs)}
    if keys[:2] == ("ladder", "rungs") and len(keys) > 2 and keys[2] not in names.values() and keys[2].isdecimal():
        keys = (*keys[:2], names.get(int(keys[2]), keys[2]), *keys[3:])
    field = ".".join(keys)
    sets = tuple(name for name in leaves(plan) if f"{name}.".startswith(f"{field}."))
    return Decision(tip=BY_HAND, outcome="applied", because=assignment.strip(), sets=sets)


def _differing(before: Plan, after: Plan) -> frozenset[str]:
    """Names of fields that do not have the same value in both, or that only one of them has."""
    if before is after:
        return frozenset()
    old, new = leaves(before), leaves(after)
    return frozenset(name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name])


def _in_words(overruled: frozenset[str], edits: Sequence[str]) -> list[str]:
    """What was overruled, in the words of the edits: one that replaces a whole part stands for all of its fields."""
    keys = [edit.partition("=")[0].strip() for edit in edits]
    parts = {name: [key for key in keys if name.startswith(f"{key}.")] for name in overruled}
    return sorted({max(found, key=len, default=name) for name, found in parts.items()})


def _check_overwritten(tip: Tip, state: _State, changed: frozenset[str]) -> None:
    for earlier in state.decisions:
        fields = sorted(changed & set(earlier.sets))
        if fields and earlier.tip not in tip.refines:
            raise PlanError(
                f"the tip {tip.name} overwrites `{fields[0]}`, which {earlier.tip} set: {tip.name} must name "
                f"{earlier.tip} in `refines`. To draft a plan without it: --without {tip.name}."
            )


def _check_left_out(without: frozenset[str], tips: Sequence[Tip]) -> None:
    known = tuple(tip.name for tip in tips)
    for name in sorted(without):
        if name not in known:
            raise PlanError(
                f"no tip is called {name}{nearest(name, known) or '.'} `fieldcraft tips` lists all {len(known)}."
            )
        check_decides(name, tips)


def check_decides(name: str, tips: Sequence[Tip]) -> None:
    """Raises: PlanError when the tip of that name only looks at networks: with or without it, the plan is the same."""
    codes = next(([rule.code for rule in tip.checks] for tip in tips if tip.name == name and tip.decide is None), None)
    if codes is not None:
        raise PlanError(
            f"the tip {name} decides nothing in a plan, it only looks at networks: to leave its findings out, "
            f"`fieldcraft inspect` takes --ignore {','.join(codes)}."
        )
