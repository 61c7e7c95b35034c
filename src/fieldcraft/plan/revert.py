"""Taking back what one tip did to a plan, and nothing that others did after it."""

from dataclasses import is_dataclass
from typing import Any

from fieldcraft.plan.copies import following
from fieldcraft.plan.schema import Plan, Rung
from fieldcraft.plan.shape import fields


def reverted(now: Plan, before: Plan, after: Plan) -> Plan:
    """`now`, with what changed from `before` to `after` as it was before.

    What was changed again after that stays. A part whose kind goes back keeps what its kinds share and others changed.
    Rungs go by name: one that was added goes, one that was taken away comes back to its place.
    Raises: pydantic.ValidationError where the parts no longer fit together.
    """
    plan: Plan = _merged(now, before, after)
    return following(plan)


def _merged(now: Any, before: Any, after: Any) -> Any:
    if before == after:
        return now
    if now == after:
        return before
    if _are_rungs(now) and _are_rungs(before) and _are_rungs(after):
        return _rungs(now, before, after)
    if not (is_dataclass(before) and type(now) is type(after)):
        return now
    cls: type = type(before)
    kind: type = type(after)
    known = fields(kind)
    return cls(
        **{
            name: _merged(getattr(now, name), getattr(before, name), getattr(after, name))
            if name in known and name != "kind"
            else getattr(before, name)
            for name in fields(cls)
        }
    )


def _are_rungs(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(entry, Rung) for entry in value)


def _rungs(now: tuple[Rung, ...], before: tuple[Rung, ...], after: tuple[Rung, ...]) -> tuple[Rung, ...]:
    old, new, here = ({rung.name: rung for rung in rungs} for rungs in (before, after, now))
    kept = [
        _merged(rung, old[rung.name], new[rung.name]) if rung.name in old and rung.name in new else rung
        for rung in now
        if rung.name in old or rung.name not in new
    ]
    for place, rung in enumerate(before):
        if rung.name not in new and rung.name not in here:
            later = {other.name for other in before[place + 1 :]}
            kept.insert(next((at for at, one in enumerate(kept) if one.name in later), len(kept)), rung)
    return tuple(kept)
