"""What a proof can switch: the tips that changed a plan, and changes by hand that are tried in addition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldcraft.errors import PlanError
from fieldcraft.plan.edit import check_names
from fieldcraft.plan.shape import nearest
from fieldcraft.records.decision import Decision
from fieldcraft.tips.draft import BY_HAND, check_decides
from fieldcraft.tips.interface import Tip

UNTRIED = {
    "ensemble": "it is about several models, and a trial trains one network",
    "spare-time": "it is about time that is left over, and a trial makes the steps that it was given",
}
"""Tips that no trial can tell anything of."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """The switches of a proof over one drafted plan."""

    names: tuple[str, ...]
    """Of tips, in the order in which they decide, then of changes by hand."""
    base: tuple[str, ...]
    """Those that are on in the plan as it stands."""
    not_tested: Mapping[str, str]
    """All other tips that decide, and why each is not tested."""

    def without(self, names: Mapping[str, str]) -> "Factors":
        """The same with some of them not tested, each with its reason."""
        return Factors(
            names=tuple(name for name in self.names if name not in names),
            base=tuple(name for name in self.base if name not in names),
            not_tested={**self.not_tested, **names},
        )

    def off(self, on: Sequence[str]) -> frozenset[str]:
        """The tips to leave out so that of all factors only some are on."""
        return frozenset(name for name in self.names if name not in on and not by_hand(name))

    def changes(self, on: Sequence[str]) -> tuple[str, ...]:
        """The changes by hand that are on."""
        return tuple(name for name in self.names if name in on and by_hand(name))


def by_hand(name: str) -> bool:
    """Whether a factor is a change `field=value` rather than a tip."""
    return "=" in name


def factors(decisions: Sequence[Decision], tips: Sequence[Tip], wanted: Sequence[str] = ()) -> Factors:
    """What can be switched in a drafted plan; `wanted`: tips, and changes `field=value` to be tried; empty: all tips.

    A tip that was left out on request is tried in addition when it is wanted. One that stayed out by itself has
    nothing to take away and no switch of its own.
    Raises: PlanError when one is wanted twice, unknown, or stayed out.
    """
    changed = {one.tip for one in decisions if one.outcome == "applied" and one.sets and one.tip != BY_HAND}
    _check_wanted(wanted, decisions, tips, changed)
    tested = [
        one.tip
        for one in decisions
        if (one.tip in wanted if wanted else one.tip in changed) and one.tip not in (BY_HAND, *UNTRIED)
    ]
    return Factors(
        names=(*tested, *(name for name in wanted if by_hand(name))),
        base=tuple(name for name in tested if name in changed),
        not_tested={
            one.tip: _because(one, one.tip in changed)
            for one in decisions
            if one.tip not in tested and one.tip != BY_HAND
        },
    )


def _because(decision: Decision, changed: bool) -> str:
    if decision.tip in UNTRIED:
        return UNTRIED[decision.tip]
    if changed:
        return "it was not asked for"
    if decision.outcome == "applied":
        return f"it changed nothing that was not so already: {decision.because}"
    return decision.because


def _check_wanted(wanted: Sequence[str], decisions: Sequence[Decision], tips: Sequence[Tip], changed: set[str]) -> None:
    known = tuple(tip.name for tip in tips)
    found = {one.tip: one for one in decisions}
    for name in wanted:
        if wanted.count(name) > 1:
            raise PlanError(f"--tips names {name} twice: name it once.")
        if by_hand(name):
            check_names([name])
            continue
        if name not in known:
            raise PlanError(
                f"--tips: no tip is called {name}{nearest(name, known) or '.'} `fieldcraft tips` lists all "
                f"{len(known)}; a change by hand is written FIELD=VALUE."
            )
        check_decides(name, tips)
        if name in UNTRIED:
            raise PlanError(f"--tips: {name} cannot be tested: {UNTRIED[name]}.")
        if name not in changed and found[name].outcome != "left-out":
            raise PlanError(
                f"--tips: {name} decides nothing here, so that there is nothing to take away "
                f"({found[name].because}). To try what it would do, name the field: --tips FIELD=VALUE, such as "
                "input.augment.mixup=0.2; `fieldcraft explain` shows its card."
            )
