"""The page of what was measured: every file of benchmarks/results, number by number."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
EACH = "each"
"""The part of a result that has a line for every network; too long for a page."""


def measured_page() -> str:
    """Markdown of all results; nothing in it is written by hand."""
    sections = [_section(path) for path in sorted(RESULTS.glob("*.json"))]
    return "\n".join(
        [
            "# Measured",
            "",
            "Each table is made from a file of `benchmarks/results/`, which the script of that name wrote. Intervals",
            "are 95 % t intervals of the mean over n runs; shared machines are noisy, so read ratios before times.",
            "",
            *sections,
        ]
    )


def _section(path: Path) -> str:
    found = json.loads(path.read_text())
    machine = found["machine"]
    sets = ", ".join(machine.get("instruction_sets", ()))
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB" + (
        f" ({sets})" if sets else ""
    )
    rows = list(_rows("", found["measured"]))
    return "\n".join(
        [
            f"## {path.stem.replace('_', ' ')}",
            "",
            f"{found['what']}.",
            "",
            f"{found['when']}; {where}; " + ", ".join(f"{name} {value}" for name, value in found["versions"].items()),
            "",
            "| | n | mean | median | 95 % | values |",
            "|---|---:|---:|---:|---|---|",
            *rows,
            "",
        ]
    )


def _rows(name: str, value: Any) -> "list[str]":
    if isinstance(value, dict) and {"n", "mean", "median"} <= set(value):
        interval = value.get("mean_95")
        between = "" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}"
        values = value.get("values", ())
        shown = values if len(values) <= 6 else ()
        each = ", ".join(f"{one:.4g}" for one in shown)
        return [f"| {name} | {value['n']} | {value['mean']:.4g} | {value['median']:.4g} | {between} | {each} |"]
    if isinstance(value, dict) and name == EACH:
        return [f"| {len(value)} single results | | | | | in the file |"]
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _rows(f"{name} {key}".strip(), inner)]
    if isinstance(value, list):
        text = "; ".join(_rows_text(one) for one in value)
        return [f"| {name} | | | | | {text} |"]
    return [f"| {name} | | {value:.4g} | | | |" if isinstance(value, float) else f"| {name} | | {value} | | | |"]


def _rows_text(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
