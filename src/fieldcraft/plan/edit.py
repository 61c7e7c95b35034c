"""Edits of a plan as they are written on a command line: `optimiser.kind=sgd`, `ladder.rungs.small.steps=500`."""

import tomllib
from collections.abc import Sequence
from typing import Any

from fieldcraft.errors import PlanError
from fieldcraft.plan.assemble import Fault, assemble, dotted, fits, member
from fieldcraft.plan.copies import check_named, following
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.shape import every_name, fields, listed, members, nearest, to_document


def edit(plan: Plan, assignments: Sequence[str]) -> Plan:
    """The plan with fields set, all together: `field=value`, the value as in TOML, bare words as text.

    Rungs go by name or by number from 0; those that repeat another one follow it. When a `kind` changes, fields that
    the new kind shares are kept as far as they fit, and the others take their defaults. `none` empties a field that may
    be empty. A rung that is given other steps makes so many: it is neither stretched nor retimed nor cooled down,
    unless that is set as well.

    Raises: PlanError for an unknown field (with the nearest right one), a bad value (with what is allowed), or an
    assignment without `=`.
    """
    document: Any = to_document(plan)
    pairs = [(assignment, *parse(assignment)) for assignment in assignments]
    for assignment, keys, value in [*_clearing_courses(plan, pairs), *pairs]:
        try:
            document = _assign(Plan, document, keys, value)
        except Fault as fault:
            raise PlanError(f"--set {assignment}: {fault}") from None
    try:
        found = assemble(document)
        check_named(found, (keys for _, keys, _ in pairs))
        return following(found)
    except Fault as fault:
        name = dotted(document, fault.path)
        blamed = [text for text, keys, _ in pairs if _related(".".join(keys), name)] or list(assignments)
        raise PlanError(f"--set {' '.join(blamed)}: `{name}` {fault}") from None


def parse(assignment: str) -> tuple[tuple[str, ...], Any]:
    """The keys and the value of `a.b=c`.

    Raises: PlanError when there is no `=` or nothing before it.
    """
    field, equals, text = assignment.partition("=")
    keys = tuple(key.strip() for key in field.split("."))
    if not equals or not all(keys):
        raise PlanError(f"--set takes field=value, such as --set batch.size=64, got {assignment!r}.")
    try:
        document = tomllib.loads(f"value = {text.strip()}")
    except tomllib.TOMLDecodeError:
        document = {}
    return keys, document["value"] if document.keys() == {"value"} else text.strip()


Pairs = Sequence[tuple[str, tuple[str, ...], Any]]
"""Assignments as written, and their keys and values."""


def _clearing_courses(plan: Plan, pairs: Pairs) -> Pairs:
    """What goes before edits, so that a rung that they give other steps makes these: nothing changes its course."""
    steps = {name: rung.steps for at, rung in enumerate(plan.ladder.rungs) for name in (rung.name, str(at))}
    as_planned: dict[str, Any] = {"most_steps": 0, "retimings": [], "cool_downs": [], "back_offs": []}
    return [
        (assignment, (*keys[:-1], name), plain)
        for assignment, keys, value in pairs
        if of_steps(keys) and steps.get(keys[2], value) != value
        for name, plain in as_planned.items()
    ]


def of_steps(keys: tuple[str, ...]) -> bool:
    """Whether an assignment says how many steps a rung makes."""
    return keys[:2] == ("ladder", "rungs") and keys[3:] == ("steps",)


def check_names(assignments: Sequence[str]) -> None:
    """Find misspelt fields before any plan is at hand that has them.

    Raises: PlanError naming the nearest field that some plan can have.
    """
    for assignment in assignments:
        keys, _ = parse(assignment)
        if not any(_begins(name.split("."), keys) for name in every_name()):
            raise PlanError(f"--set {assignment}: no plan has a field `{'.'.join(keys)}`{_hint(keys)}")


def _hint(keys: tuple[str, ...]) -> str:
    """Where the only field of that name stands, or else the nearest name; and the fields beside it."""
    known = sorted(every_name())
    beside = [name for name in known if _begins(name.split(".")[:-1], keys[:-1]) and name.count(".") == len(keys) - 1]
    elsewhere = [name for name in known if name.rpartition(".")[2] == keys[-1]]
    hint = nearest(".".join(keys), tuple(beside or known))
    if len(elsewhere) == 1:
        hint = f"; did you mean `{elsewhere[0]}`?"
    fields_there = f" Fields there: {', '.join(name.rpartition('.')[2] for name in beside)}." if beside else ""
    return (hint or ".").replace("*", "NAME") + fields_there


def _begins(name: list[str], keys: tuple[str, ...]) -> bool:
    return len(keys) <= len(name) and all(part in ("*", key) for part, key in zip(name, keys, strict=False))


def _assign(annotation: Any, node: Any, keys: tuple[str, ...], value: Any) -> Any:
    if not keys:
        return value
    item = listed(annotation)
    if item is not None and isinstance(node, list):
        at = _position(node, keys[0])
        return [_assign(item, entry, keys[1:], value) if i == at else entry for i, entry in enumerate(node)]
    table = node if isinstance(node, dict) else {}
    if keys == ("kind",):
        return _change_kind(annotation, table, value)
    return {**table, keys[0]: _assign(_below(annotation, table, keys[0]), table.get(keys[0]), keys[1:], value)}


def _below(annotation: Any, table: dict[str, Any], name: str) -> Any:
    """The annotation of a field, or None where the table is at fault: `assemble` will say how."""
    try:
        return fields(member(annotation, table, ())).get(name) if members(annotation) else None
    except Fault:
        return None


def _change_kind(annotation: Any, table: dict[str, Any], kind: Any) -> dict[str, Any]:
    choices = members(annotation)
    if table.get("kind") == kind or not isinstance(kind, str) or kind not in choices:
        return {**table, "kind": kind}
    cls = choices[kind]
    kept = {name: value for name, value in table.items() if name in fields(cls) and name != "kind"}
    return {"kind": kind} | {name: value for name, value in kept.items() if fits(cls, name, value)}


def _position(entries: list[Any], key: str) -> int:
    names = [str(entry.get("name", index)) for index, entry in enumerate(entries)]
    if key in names:
        return names.index(key)
    if key.isdecimal() and int(key) < len(names):
        return int(key)
    there = f"there are {', '.join(names)}" if names else "there are none yet"
    raise Fault((), f"nothing is called `{key}` here ({there}){nearest(key, tuple(names))}")


def _related(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
