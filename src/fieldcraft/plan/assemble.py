"""From nested plain values (as TOML or an edit gives them) to a plan, or to the first fault in them."""

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fieldcraft.plan.schema import Plan
from fieldcraft.plan.shape import (
    NONE,
    allowed,
    fields,
    listed,
    members,
    nearest,
    required,
    takes_none,
    takes_plain,
)

Path = tuple[str | int, ...]


class Fault(Exception):
    """A value that cannot be part of a plan; whoever reads it adds where it came from."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message if message.endswith("?") else f"{message}.")
        self.path = path


def assemble(document: dict[str, Any]) -> Plan:
    """The plan that nested plain values describe. Types are taken strictly: no text for numbers, no 1 for true.

    Raises: Fault.
    """
    plan: Plan = _table(Plan, document, ())
    return plan


def dotted(document: Any, path: Path) -> str:
    """The name of a field as people write it, rungs by name: `ladder.rungs.small.steps`."""
    parts: list[str] = []
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            document = None
        name = document.get("name") if isinstance(key, int) and isinstance(document, dict) else None
        parts.append(name if isinstance(name, str) else str(key))
    return ".".join(parts)


def fits(cls: type, name: str, value: Any) -> bool:
    """Whether a plain value may stand in the field `name` of a part of the plan."""
    try:
        _field(cls, name, value, ())
    except Fault:
        return False
    return True


def member(annotation: Any, table: dict[str, Any], path: Path) -> type:
    """The part that a table describes, told by its kind.

    Raises: Fault when `kind` is missing or unknown.
    """
    choices = members(annotation)
    if "" in choices or (len(choices) == 1 and "kind" not in table):
        return next(iter(choices.values()))
    if "kind" not in table:
        raise Fault(path, f"must have a `kind`: one of {_words(choices)}")
    kind = table["kind"]
    if not isinstance(kind, str) or kind not in choices:
        hint = nearest(kind, tuple(choices)) if isinstance(kind, str) else ""
        raise Fault((*path, "kind"), f"must be one of {_words(choices)}, got {shown(kind)}{hint}")
    return choices[kind]


def shown(value: Any) -> str:
    """A value as it would be written."""
    return json.dumps(value, default=str, ensure_ascii=False)


def _table(annotation: Any, table: dict[str, Any], path: Path) -> Any:
    cls = member(annotation, table, path)
    known = tuple(fields(cls))
    for name in table:
        if name not in known:
            place = "here" if path else "at the top"
            raise Fault(
                (*path, name), f"is not a field{nearest(name, known) or '.'} Fields {place}: {', '.join(known)}"
            )
    for name in required(cls):
        if name not in table:
            raise Fault(path, f"must have `{name}`: {allowed(fields(cls)[name])}")
    values = {name: _field(cls, name, value, (*path, name)) for name, value in table.items()}
    try:
        return cls(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Fault(path, f"does not fit together: {first.get('ctx', {}).get('error', first['msg'])}") from error


def _field(cls: type, name: str, value: Any, path: Path) -> Any:
    annotation = fields(cls)[name]
    item = listed(annotation)
    if item is not None:
        return _list(item, value, path)
    if members(annotation) and isinstance(value, dict):
        return _table(annotation, value, path)
    if takes_none(annotation) and value == NONE:
        return None
    try:
        if not takes_plain(annotation):
            raise ValueError
        return _adapter(cls, name).validate_json(json.dumps(value, default=str), strict=True)
    except ValueError:
        raise Fault(path, f"must be {allowed(annotation)}, got {shown(value)}") from None


def _list(item: type, value: Any, path: Path) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Fault(path, f"must be a list of tables, got {shown(value)}")
    return tuple(_table(item, entry, (*path, index)) for index, entry in enumerate(value))


@cache
def _adapter(cls: type, name: str) -> TypeAdapter[Any]:
    return TypeAdapter(fields(cls)[name])


def _words(choices: dict[str, type]) -> str:
    return ", ".join(f'"{kind}"' for kind in choices)
