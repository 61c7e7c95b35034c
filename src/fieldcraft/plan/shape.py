"""What the plan's schema allows: its fields by name, the kinds of its unions, its ranges in words."""

import dataclasses
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from fieldcraft.plan.schema import Plan

NONE = "none"
"""How a field without a value is written, since TOML has no word for it."""


@cache
def fields(cls: type) -> Mapping[str, Any]:
    """Annotations of a part of the plan, by field name, in the order of the schema."""
    hints = get_type_hints(cls, include_extras=True)
    return MappingProxyType({field.name: hints[field.name] for field in dataclasses.fields(cls)})


@cache
def required(cls: type) -> tuple[str, ...]:
    """Names of the fields that have no default."""
    none = dataclasses.MISSING
    return tuple(f.name for f in dataclasses.fields(cls) if f.default is none and f.default_factory is none)


def members(annotation: Any) -> dict[str, type]:
    """The parts that may stand here, by kind ("" for a part that has none); empty where only plain values may."""
    parts = [option for option in _options(annotation) if isinstance(option, type) and dataclasses.is_dataclass(option)]
    return {_kind(part): part for part in parts}


def takes_plain(annotation: Any) -> bool:
    """Whether a value that is no table may stand here."""
    return not all(dataclasses.is_dataclass(option) for option in _options(annotation))


def takes_none(annotation: Any) -> bool:
    """Whether the field may be without a value."""
    return NoneType in _options(annotation)


def listed(annotation: Any) -> type | None:
    """The part of which a list stands here (rungs, cool-downs), or None."""
    base, _ = _split(annotation)
    if get_origin(base) is tuple and isinstance(get_args(base)[0], type) and members(get_args(base)[0]):
        item: type = get_args(base)[0]
        return item
    return None


def walk(part: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field below a part of the plan by dotted name, parts before what they hold.

    Entries of lists go by their names, or else their numbers.
    """
    cls: type = type(part)
    for name, lists_parts in _field_kinds(cls):
        value = getattr(part, name)
        if not lists_parts:
            yield prefix + name, value
        for label, below in _parts_below(name, value):
            yield from walk(below, f"{prefix}{label}.")


@cache
def _field_kinds(cls: type) -> tuple[tuple[str, bool], ...]:
    """Names of the fields of a part, and whether a list of parts stands there."""
    return tuple((name, listed(annotation) is not None) for name, annotation in fields(cls).items())


def leaves(part: Any) -> dict[str, Any]:
    """Every plain value below a part of the plan, by dotted name."""
    return {name: value for name, value in walk(part) if not dataclasses.is_dataclass(value)}


def to_document(part: Any) -> dict[str, Any]:
    """A part of the plan as nested plain values, as TOML has them."""
    cls: type = type(part)
    return {name: _plain(getattr(part, name)) for name in fields(cls)}


@cache
def every_name(cls: type = Plan, prefix: str = "") -> frozenset[str]:
    """Dotted names of all fields that any plan can have; entries of lists are written `*`."""
    return frozenset(_every_name(cls, prefix))


def allowed(annotation: Any) -> str:
    """What may stand here, in words: "a whole number from 1 to 4096"."""
    base, rules = _split(annotation)
    if described := next(
        (rule.description for rule in rules if isinstance(rule, FieldInfo) and rule.description), None
    ):
        return described
    if get_origin(base) in (Union, UnionType):
        words = [allowed(option) for option in get_args(base) if option is not NoneType and takes_plain(option)]
        words += [_tables(annotation)] if members(annotation) else []
        words += [f'"{NONE}"'] if takes_none(annotation) else []
        return " or ".join(words)
    if get_origin(base) is Literal:
        return _one_of(get_args(base))
    if get_origin(base) is tuple:
        least = next((rule.min_length for rule in _plain_rules(rules) if hasattr(rule, "min_length")), 0)
        return f"a list{f' of {least} or more' if least else ''}, each {allowed(get_args(base)[0])}"
    if dataclasses.is_dataclass(base):
        return _tables(base)
    noun = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(base, "a value")
    return noun + _range(_plain_rules(rules))


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The end of a message that names the nearest known word: `; did you mean ...?`, or nothing when none is near."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""


def _parts_below(name: str, value: Any) -> list[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        return [(name, value)]
    entries = value if isinstance(value, tuple) else ()
    parts = [(index, entry) for index, entry in enumerate(entries) if dataclasses.is_dataclass(entry)]
    return [(f"{name}.{getattr(entry, 'name', index)}", entry) for index, entry in parts]


def _plain(value: Any) -> Any:
    if value is None:
        return NONE
    if dataclasses.is_dataclass(value):
        return to_document(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _every_name(cls: type, prefix: str) -> Iterator[str]:
    for name, annotation in fields(cls).items():
        item = listed(annotation)
        if item is not None:
            yield from every_name(item, f"{prefix}{name}.*.")
        for member in members(annotation).values():
            yield from every_name(member, f"{prefix}{name}.")
        if takes_plain(annotation) and item is None:
            yield prefix + name


def _split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(annotation) is Annotated:
        base, *rules = get_args(annotation)
        return base, tuple(rules)
    return annotation, ()


def _options(annotation: Any) -> tuple[Any, ...]:
    base, _ = _split(annotation)
    return get_args(base) if get_origin(base) in (Union, UnionType) else (base,)


def _kind(cls: type) -> str:
    """What tells a part from the others of its union; "" when its `kind`, if any, is a choice like any other."""
    kinds = get_args(fields(cls).get("kind"))
    return str(kinds[0]) if len(kinds) == 1 else ""


def _plain_rules(rules: tuple[Any, ...]) -> list[Any]:
    return [plain for rule in rules for plain in (rule.metadata if isinstance(rule, FieldInfo) else (rule,))]


def _range(rules: list[Any]) -> str:
    limits = {key: getattr(rule, key) for rule in rules for key in ("ge", "gt", "le", "lt") if hasattr(rule, key)}
    if limits.keys() == {"ge", "le"}:
        return f" from {limits['ge']} to {limits['le']}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    parts = [f"{words[key]} {value}" for key, value in limits.items()]
    return f", {' and '.join(parts)}" if parts else ""


def _one_of(values: tuple[Any, ...]) -> str:
    return ("one of " if len(values) > 1 else "") + ", ".join(f'"{value}"' for value in values)


def _tables(annotation: Any) -> str:
    kinds = tuple(kind for kind in members(annotation) if kind)
    return f"a table with `kind` {_one_of(kinds)}" if kinds else "a table"
