"""The plan: every tip's reason, and why others stayed out."""

from dataclasses import asdict, dataclass
from typing import Any

from fieldcraft.records.decision import Decision
from fieldcraft.report.page import Absent, Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import shortened


@dataclass(frozen=True)
class Story:
    """How the plan came about."""

    intro: str
    applied: Table | None
    skipped: Table | None
    text: str
    """All of plan.toml."""


def plan(run: Run) -> Story | Absent:
    """Both lists, and the plan itself."""
    if run.plan is None and not run.plan_text:
        return Absent("The plan was not written yet.")
    tree = asdict(run.plan) if run.plan is not None else {}
    applied = tuple(each for each in run.decisions if each.outcome == "applied")
    stayed = tuple(each for each in run.decisions if each.outcome != "applied")
    intro = f"{len(applied)} of {len(run.decisions)} tips took part. Change a line of plan.toml to change the run."
    if not run.decisions:
        intro = "The plan carries no reasons: it was written by hand, or its file could not be read."
    return Story(intro, _applied(applied, tree), _skipped(stayed), run.plan_text)


def _applied(decisions: tuple[Decision, ...], tree: dict[str, Any]) -> Table | None:
    if not decisions:
        return None
    rows = tuple((each.tip, _settings(each.sets, tree), each.because) for each in decisions)
    return Table("Tips that took part, in the order they decided.", columns("Tip", "What it set", "Why"), rows)


def _skipped(decisions: tuple[Decision, ...]) -> Table | None:
    if not decisions:
        return None
    told = {"skipped": "", "left-out": "left out by you: "}
    rows = tuple((each.tip, told.get(each.outcome, "") + each.because) for each in decisions)
    return Table("Tips that stayed out.", columns("Tip", "Why not"), rows)


def _settings(names: tuple[str, ...], tree: dict[str, Any]) -> str:
    return "\n".join(f"{name} = {value}" if (value := _value(name, tree)) else name for name in names) or "–"


def _value(name: str, tree: Any) -> str:
    """What the plan has under a dotted name; empty when it is no single value."""
    for key in name.replace("[", ".").replace("]", "").split("."):
        if isinstance(tree, dict) and key in tree:
            tree = tree[key]
        else:
            tree = _named(tree, key)
            if tree is None:
                return ""
    return shortened(_written(tree), 80)


def _named(entries: Any, name: str) -> Any:
    """The entry of that name in a list of parts, or at that place; None when there is none."""
    if not isinstance(entries, list | tuple):
        return None
    if name.isdigit() and int(name) < len(entries):
        return entries[int(name)]
    return next((each for each in entries if isinstance(each, dict) and each.get("name") == name), None)


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("kind") or "")
    if isinstance(value, list | tuple):
        return ", ".join(_written(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
