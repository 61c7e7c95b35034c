"""The plan as a TOML file: every field, the reason beside each line, and the story of the decisions at the end."""

import re
import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import TypeAdapter, ValidationError

from fieldcraft.errors import FieldcraftError, PlanError
from fieldcraft.plan.assemble import Fault, assemble, dotted
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.shape import nearest, to_document
from fieldcraft.records.decision import Decision
from fieldcraft.records.versions import CURRENT, bring_forward

LINE = 120
"""Longest line that is written, where a value allows it."""
HEAD = "# How a model is trained. Every value may be changed; beside it stands the tip that set it, and why."
Reasons = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class PlanFile:
    """What a plan file holds."""

    plan: Plan
    decisions: tuple[Decision, ...] = ()


def to_toml(plan: Plan, decisions: Sequence[Decision] = ()) -> str:
    """The plan with all its fields; each line has the reasons of the tips that set it, the last one first."""
    reasons: dict[str, tuple[str, ...]] = {}
    for decision in decisions:
        for name in decision.sets:
            reasons[name] = (_comment(f"{decision.tip}: {decision.because}"), *reasons.get(name, ()))
    lines = [f"schema = {CURRENT['plan']}", HEAD, "", *_table(to_document(plan), "", "", reasons, frozenset())]
    for decision in decisions:
        lines += ["", "[[decisions]]", *_decision(decision)]
    return "\n".join(lines) + "\n"


def read_plan(path: Path) -> PlanFile:
    """Read a plan file.

    Raises: PlanError, naming file, line and field, when it is missing or not a plan that this fieldcraft can follow.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = nearest(path.name, tuple(sorted(other.name for other in path.parent.glob("*.toml"))))
        raise PlanError(f"{path} does not exist{near or ': `fieldcraft plan DATA` writes a plan.'}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read as a plan ({error}).") from error
    return from_toml(text, str(path))


def from_toml(text: str, origin: str = "the plan") -> PlanFile:
    """Read the text of a plan file; `origin` names it in errors.

    Raises: PlanError, as `read_plan` does.
    """
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(_syntax(text, origin, str(error))) from None
    try:
        document = bring_forward("plan", written, origin)
    except FieldcraftError as error:
        raise PlanError(str(error)) from None
    decisions = _decisions(document.pop("decisions", []), text, origin)
    try:
        return PlanFile(assemble(document), decisions)
    except Fault as fault:
        name = dotted(document, fault.path)
        raise PlanError(f"{_place(text, origin, fault.path)}: {f'`{name}`' if name else 'a plan'} {fault}") from None


# ---------------------------------------------------------------- writing


def _table(table: dict[str, Any], header: str, prefix: str, reasons: Reasons, above: frozenset[str]) -> list[str]:
    """The lines of a table: plain values first, as TOML wants it, then the tables below.

    `header` is its name in TOML, `prefix` the start of its fields' names in a plan (they differ for rungs). `above`
    holds reasons that stand further up in the same rung: they are not written again.
    """
    lines: list[str] = []
    for key, value in table.items():
        if not _nested(value):
            because = _because(prefix + key, reasons)
            lines += _line(f"{key} = {_value(value)}", because, above)
            above |= set(because)
    for key, value in table.items():
        name = f"{header}.{key}".lstrip(".")
        if isinstance(value, dict):
            inside = above if prefix.startswith("ladder.rungs.") else frozenset()
            lines += ["", f"[{name}]", *_table(value, name, f"{prefix}{key}.", reasons, inside)]
        elif _nested(value):
            for item in value:
                rung = f"{prefix}{key}.{item['name']}."
                lines += ["", f"[[{name}]]", *_table(item, name, rung, reasons, frozenset())]
    return lines


def _nested(value: Any) -> bool:
    """Whether a value gets tables of its own: parts, and lists of parts that have names."""
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and _named(value[0]))


def _named(entry: Any) -> bool:
    return isinstance(entry, dict) and "name" in entry


def _because(name: str, reasons: Reasons) -> tuple[str, ...]:
    """The reasons of a field, or of the first field inside a list that is written on one line."""
    return next((because for field, because in reasons.items() if f"{field}.".startswith(f"{name}.")), ())


def _line(line: str, because: tuple[str, ...], above: frozenset[str]) -> list[str]:
    """The line with its reasons beside it when they fit, else above it."""
    comments = [reason for reason in because if reason not in above]
    if repeated := [reason.partition(":")[0] for reason in because if reason in above]:
        comments.append(f"{' and '.join(repeated)}: as above")
    beside = f"{line}  # {'; '.join(comments)}" if comments else line
    if len(beside) <= LINE:
        return [beside]
    return [f"# {part}" for comment in comments for part in textwrap.wrap(comment, LINE - 2)] + [line]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(entry)}' for key, entry in value.items())} }}"
    return str(tomlkit.item(value).as_string())


def _comment(text: str) -> str:
    """One line without the control characters that TOML forbids in comments."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _decision(decision: Decision) -> list[str]:
    lines = [f"{key} = {_value(getattr(decision, key))}" for key in ("tip", "outcome", "because")]
    sets = [_value(name) for name in decision.sets]
    short = f"sets = [{', '.join(sets)}]"
    return [*lines, short] if len(short) <= LINE else [*lines, "sets = [", *(f"  {name}," for name in sets), "]"]


# ---------------------------------------------------------------- reading


def _decisions(tables: Any, text: str, origin: str) -> tuple[Decision, ...]:
    try:
        return TypeAdapter(tuple[Decision, ...]).validate_python(tables)
    except ValidationError as error:
        first = error.errors()[0]
        path = ("decisions", *first["loc"])
        raise PlanError(
            f"{_place(text, origin, path)}: `{'.'.join(map(str, path))}` is no part of a decision ({first['msg']}); "
            "the decisions only keep the reasons and may be deleted."
        ) from None


def _syntax(text: str, origin: str, message: str) -> str:
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if found is None:
        return f"{origin} is not valid TOML: {message}."
    lines = text.splitlines() or [""]
    line = int(found[2] or len(lines))
    column = int(found[3] or len(lines[-1]) + 1)
    shown = f": {lines[line - 1].strip()}" if line <= len(lines) and lines[line - 1].strip() else ""
    return f"{origin}, line {line}, column {column}: not valid TOML ({found[1]}){shown}"


def _place(text: str, origin: str, path: tuple[str | int, ...]) -> str:
    """The file and the line on which a field starts, as far as the text has it."""
    lines = text.splitlines()
    while path:
        start = 0
        for end in range(1, len(lines) + 1):
            try:
                document = tomllib.loads("\n".join(lines[:end]))
            except tomllib.TOMLDecodeError:
                continue
            if _has(document, path):
                return f"{origin}, line {start + 1}"
            start = end
        path = path[:-1]
    return origin


def _has(document: Any, path: tuple[str | int, ...]) -> bool:
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True
