"""The plan: every tip's reason, and why others stayed out."""

from dataclasses import asdict, dataclass
from typing import Any

from fieldcraft.records.decision import Decision
from fieldcraft.report.page import Absent, Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import plural, shortened

UNFOLDED = 4
"""Fields that a tip may set before they are folded away."""


@dataclass(frozen=True)
class Part:
    """Fields of one part of the plan: "optimiser" with "momentum 0.9"."""

    name: str
    settings: str


@dataclass(frozen=True)
class Taken:
    """A tip that took part."""

    tip: str
    because: str
    parts: tuple[Part, ...]
    folded: str
    """What the folded fields are called; empty when they are few enough to be shown."""


@dataclass(frozen=True)
class Story:
    """How the plan came about."""

    intro: str
    applied: tuple[Taken, ...]
    skipped: Table | None
    text: str
    """All of plan.toml."""


def plan(run: Run) -> Story | Absent:
    """Both lists, and the plan itself."""
    if run.plan is None and not run.plan_text:
        return Absent("The plan was not written yet.")
    tree = asdict(run.plan) if run.plan is not None else {}
    applied = tuple(_taken(each, tree) for each in run.decisions if each.outcome == "applied")
    stayed = tuple(each for each in run.decisions if each.outcome != "applied")
    intro = f"{len(applied)} of {len(run.decisions)} tips took part. Change a line of plan.toml to change the run."
    if not run.decisions:
        intro = "The plan carries no reasons: it was written by hand, or its file could not be read."
    return Story(intro, applied, _skipped(stayed), run.plan_text)


def _taken(decision: Decision, tree: dict[str, Any]) -> Taken:
    parts: dict[str, list[str]] = {}
    for name in decision.sets:
        above, _, field = name.rpartition(".")
        parts.setdefault(above, []).append(f"{field} {_value(name, tree)}".rstrip())
    count = len(decision.sets)
    folded = f"{plural(count, 'field')} of {plural(len(parts), 'part')}" if count > UNFOLDED else ""
    shown = tuple(Part(name, ", ".join(settings)) for name, settings in parts.items())
    return Taken(decision.tip, decision.because, shown, folded)


def _skipped(decisions: tuple[Decision, ...]) -> Table | None:
    if not decisions:
        return None
    told = {"skipped": "", "left-out": "left out: "}
    rows = tuple((each.tip, told.get(each.outcome, "") + each.because) for each in decisions)
    return Table("Tips that stayed out.", columns("Tip", "Why not"), rows)


def _value(name: str, tree: Any) -> str:
    """What the plan has under a dotted name; empty when it has nothing there."""
    for key in name.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else _named(tree, key)
    return "" if tree is None else shortened(_written(tree), 80)


def _named(entries: Any, name: str) -> Any:
    """The entry of that name in a list of parts; None when there is none."""
    if not isinstance(entries, list | tuple):
        return None
    return next((each for each in entries if isinstance(each, dict) and each.get("name") == name), None)


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("kind") or "")
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(each) for each in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
