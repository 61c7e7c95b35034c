"""Reference pages made from the code: the plan's fields, the commands, the files of a run folder."""

import ast
import dataclasses
import inspect
from pathlib import Path
from typing import Any, get_args

import typer

from fieldcraft.cli.app import app
from fieldcraft.plan import schema
from fieldcraft.plan.shape import allowed, fields, listed, members
from fieldcraft.train.run_folder import RunFolder

PLAN_HEAD = """\
# The plan, field by field

Every field of `plan.toml`, with what is allowed and what it is when no tip sets it. `fieldcraft plan DATA` writes one;
[Edit a plan](../how-to/edit-a-plan.md) shows how to change it. A part with a `kind` is one of several, and which one it
is decides which fields it has.
"""
FOLDER_HEAD = """\
# The files of a run folder

What `fieldcraft fit DATA --out RUN` leaves behind. Every file is written whole and renamed, so a killed run leaves none
half there; every document carries a schema version, and older ones are brought forward when they are read.

| file | what is in it |
|---|---|
"""
COMMANDS_HEAD = """\
# The commands

Each command parses, calls the library and prints. Results go to standard output, progress and errors to standard error.

| exit code | meaning |
|---|---|
| 0 | done |
| 2 | something that you can put right, said in one message |
| 3 | findings that `inspect --fail-on` asks for, or samples that `audit` says would spoil the result |
| 130 | stopped by Ctrl-C or SIGTERM; what was done is on disk |
| 1 | a traceback: a mistake in fieldcraft, please report it |
"""


def plan_page() -> str:
    """All parts of the plan, each once, in the order in which they are met."""
    seen: dict[type, str] = {}
    _collect(schema.Plan, "the plan itself", seen)
    notes = _field_notes()
    return "\n".join([PLAN_HEAD, *(_part(cls, where, notes) for cls, where in seen.items())])


def commands_page() -> str:
    """The help of every command."""
    group = typer.main.get_command(app)
    names = list(getattr(group, "commands"))  # noqa: B009  (mypy knows only the base class)
    return "\n".join([COMMANDS_HEAD, *(_command(group, name) for name in names)])


def run_folder_page() -> str:
    """Every path of a run folder with its description."""
    root = Path("RUN")
    rows = []
    for name, member in vars(RunFolder).items():
        if isinstance(member, property):
            path = getattr(RunFolder(root), name).relative_to(root)
            shown = f"{path}/" if not path.suffix else str(path)
            rows.append(f"| `{shown}` | {' '.join((member.__doc__ or '').split())} |")
    return FOLDER_HEAD + "\n".join(rows) + "\n"


def _collect(cls: type, where: str, seen: dict[type, str]) -> None:
    if cls in seen:
        return
    seen[cls] = where
    for name, annotation in fields(cls).items():
        below = name if where == "the plan itself" else f"{where}.{name}"
        item = listed(annotation)
        if item is not None:
            _collect(item, f"{below}.NAME", seen)
        for member in members(annotation).values():
            _collect(member, below, seen)


def _part(cls: type, where: str, notes: dict[tuple[str, str], str]) -> str:
    kind = _kind(cls)
    title = where if cls is schema.Plan else f"`{where}`" + (f' with `kind = "{kind}"`' if kind else "")
    rows = []
    for field in dataclasses.fields(cls):
        if kind is None or field.name != "kind":
            note = notes.get((cls.__name__, field.name), "")
            rows.append(f"| `{field.name}` | {_cell(allowed(fields(cls)[field.name]))} | {_default(field)} | {note} |")
    table = ["| field | allowed | default | |", "|---|---|---|---|", *rows] if rows else ["No further fields."]
    return "\n".join([f"## {title[0].upper()}{title[1:]}", "", inspect.getdoc(cls) or "", "", *table, ""])


def _kind(cls: Any) -> str | None:
    """What tells a part from the others that may stand in its place."""
    choices = get_args(fields(cls).get("kind"))
    return str(choices[0]) if len(choices) == 1 else None


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default is dataclasses.MISSING:
        return "must be given"
    if dataclasses.is_dataclass(field.default):
        kind = _kind(type(field.default))
        return f"`{kind}`" if kind else "as below"
    value = field.default
    shown = list(value) if isinstance(value, tuple) else value
    return f"`{str(shown).lower() if isinstance(shown, bool) or shown is None else shown}`".replace("'", '"')


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _field_notes() -> dict[tuple[str, str], str]:
    """The texts below the fields, by class and field."""
    found = {}
    for node in ast.parse(inspect.getsource(schema)).body:
        if isinstance(node, ast.ClassDef):
            for line, below in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(line, ast.AnnAssign)
                    and isinstance(line.target, ast.Name)
                    and isinstance(below, ast.Expr)
                    and isinstance(below.value, ast.Constant)
                ):
                    found[node.name, line.target.id] = _cell(" ".join(str(below.value.value).split()))
    return found


def _command(group: Any, name: str, prefix: str = "fieldcraft") -> str:
    command = group.commands[name]
    context = command.make_context(f"{prefix} {name}", [], resilient_parsing=True)
    below = [_command(command, one, f"{prefix} {name}") for one in getattr(command, "commands", ())]
    return "\n".join([f"## {prefix} {name}\n\n```text\n{command.get_help(context)}\n```\n", *below])
