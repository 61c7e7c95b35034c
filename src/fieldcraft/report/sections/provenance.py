"""Where the run comes from, and how to use it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fieldcraft.report.page import Table, columns, pairs
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import shortened


@dataclass(frozen=True)
class Provenance:
    """Versions, machine, seed, digest, command; looks at the test part; next commands."""

    table: Table | None
    looks: Table | None
    commands: tuple[tuple[str, str], ...]


def provenance(run: Run) -> Provenance:
    """What `provenance.json` and `ledger.jsonl` hold."""
    rows = tuple(_flat(run.provenance))
    table = pairs("Everything that a repeat needs.", rows) if rows else None
    return Provenance(table, _looks(run), _commands(run))


def _flat(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Rows of names and values: what was asked for entry by entry, other groups in one row each."""
    for key, value in tree.items():
        if key == "request" and isinstance(value, Mapping):
            yield from _flat(value)
        elif isinstance(value, Mapping):
            yield key, "; ".join(f"{name.replace('_', ' ')} {_written(each)}" for name, each in value.items())
        else:
            yield key.replace("_", " "), _written(value)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return shortened(" ".join(str(each) for each in value), 400) or "–"
    return "–" if value is None else str(value)


def _looks(run: Run) -> Table | None:
    if not run.looks:
        return None
    rows = tuple(tuple(str(look.get(key, "–")) for key in ("look", "when", "command", "why")) for look in run.looks)
    return Table("Every look at the test part.", columns("#Look", "When", "Command", "Why"), rows)


def _commands(run: Run) -> tuple[tuple[str, str], ...]:
    if run.results is None:
        return ()
    predict = (
        "Predict new samples, with calibrated confidence and the unsure flag",
        f"fieldcraft predict {run.name} INPUT",
    )
    repeat = (
        "Train again exactly as it was carried out",
        f"fieldcraft fit DATA --plan {run.name}/repeat.toml --budget none",
    )
    return (predict, repeat) if run.repeatable else (predict,)
