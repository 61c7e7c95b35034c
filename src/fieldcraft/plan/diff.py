"""What changed between two plans, field by field."""

from dataclasses import dataclass, is_dataclass
from typing import Any

from fieldcraft.plan.schema import Plan
from fieldcraft.plan.shape import walk


@dataclass(frozen=True)
class Change:
    """One field that is not as it was; None also stands for a field that only one of the plans has."""

    field: str
    """Dotted, rungs by name: `ladder.rungs.small.steps`."""
    before: Any
    after: Any


def diff(before: Plan, after: Plan) -> tuple[str, ...]:
    """Dotted names of the fields that changed, in the order of the schema; empty exactly when the plans are equal.

    A rung that was added or taken away counts with all its fields, and so does a part that changed its kind (with
    the fields of the new kind). Rungs that only changed places count as `ladder.rungs`.
    """
    return tuple(change.field for change in changes(before, after))


def changes(before: Plan, after: Plan) -> tuple[Change, ...]:
    """The fields that `diff` names, with what stood and stands there."""
    if before is after:
        return ()
    old, new = dict(walk(before)), dict(walk(after))
    rekinded = tuple(f"{name}." for name in new if name in old and type(old[name]) is not type(new[name]))
    moved = [name for name in new if name.startswith(rekinded) or name not in old or old[name] != new[name]]
    gone = [name for name in old if name not in new and not name.startswith(rekinded)]
    found = [Change(name, old.get(name), new.get(name)) for name in (*moved, *gone) if _is_plain(name, new, old)]
    order_before, order_after = _common_order(before, after), _common_order(after, before)
    return (*found, *([Change("ladder.rungs", order_before, order_after)] if order_before != order_after else []))


def _is_plain(name: str, new: dict[str, Any], old: dict[str, Any]) -> bool:
    return not is_dataclass(new[name] if name in new else old[name])


def _common_order(one: Plan, other: Plan) -> tuple[str, ...]:
    shared = {rung.name for rung in other.ladder.rungs}
    return tuple(rung.name for rung in one.ladder.rungs if rung.name in shared)
