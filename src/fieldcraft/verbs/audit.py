"""Audit: what is wrong with the samples, before anything is trained on them; and what a run does about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fieldcraft.data.audit.audit import audit as look
from fieldcraft.data.audit.audit import bad_samples, without
from fieldcraft.data.checks import SHOWN, check
from fieldcraft.data.dataset import Dataset, ReadOptions
from fieldcraft.data.near import listed
from fieldcraft.data.open import read_data
from fieldcraft.data.relabel import read_fixes, relabelled
from fieldcraft.data.take import no_rows
from fieldcraft.errors import DataError
from fieldcraft.records.audit import Audit, Complaint
from fieldcraft.tips.rough import AUDIT

LEAST_S = 1.0  # for the audit of a run, however small its budget


@dataclass(frozen=True, kw_only=True)
class Care:
    """What a user wants done about bad samples."""

    skip_bad: bool = False
    """Whether to go on without the samples that would spoil the result."""
    relabel: Path | None = None
    """A CSV with the columns id and label: corrected labels."""
    limit_s: float | None = None
    """For the audit; with `skip_bad` it is always complete, so that the same samples are left out each time."""
    say: Callable[[str], None] = lambda text: None
    """Tells the user what is worth knowing."""


def audit(
    data: object,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    relabel: str | Path | None = None,
) -> Audit:
    """Everything that is wrong with some data; nothing is trained, nothing is written.

    `data`: a path, a built-in name, (X, y), a frame, or a map-style torch Dataset. `relabel`: a CSV with the columns id
    and label, taken into account (the test part as given keeps its labels).
    Raises: DataError or ReaderError when the data cannot be read at all.
    """
    dataset = read_data(data, options)
    changed = 0
    if relabel is not None:
        test = no_rows() if dataset.given is None else (dataset.given == "test").nonzero()[0]
        dataset, fixes, _ = relabelled(dataset, read_fixes(Path(relabel)), test, Path(relabel))
        changed = len(fixes)
    return replace(look(dataset), relabelled=changed)


def limit_of(budget_s: float | None) -> float | None:
    """Seconds that the audit of a run may take."""
    return None if budget_s is None else max(LEAST_S, AUDIT * budget_s)


def audited(dataset: Dataset, care: Care) -> tuple[Dataset, Audit]:
    """The data set, without its bad samples where that is wanted, and what the audit found; warnings are said.

    Raises: DataError when something would spoil the result and nothing is to be left out.
    """
    if not care.skip_bad and not dataset.problems:
        check(dataset)
    found = look(dataset, None if care.skip_bad else care.limit_s)
    if found.stops and not (care.skip_bad and all(one.samples for one in found.stops)):
        raise DataError(stopped(dataset.name, found))
    bad = bad_samples(found.complaints)
    for one in found.warnings:
        care.say(f"audit: {told(one)}")
    if bad:
        care.say(f"audit: left out, as --skip-bad says: {len(bad):,} sample(s), named in audit.json")
    return check(without(dataset, bad)), replace(found, skipped=bad)


def told(complaint: Complaint) -> str:
    """One complaint in one sentence."""
    names = f" (such as {listed(complaint.samples, 2)})" if complaint.samples else ""
    return f"{complaint.reason}{names}."


def stopped(name: str, found: Audit) -> str:
    """The message for what would spoil the result: sample by sample, and what to do."""
    lines = [
        f"{sample}: {detail}" if detail else f"{sample}: {one.reason}"
        for one in found.stops
        for sample, detail in zip(one.samples, one.details or ("",) * len(one.samples), strict=True)
    ]
    if not lines:
        return " ".join(one.reason for one in found.stops)
    reasons = "; ".join(one.reason for one in found.stops if one.kind != "nothing-to-learn")
    more = [f"  and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    rest = [one.reason for one in found.stops if one.kind == "nothing-to-learn"]
    advice = (
        f"Without them: {rest[0]}"
        if rest
        else "Repair them, or move them (and their lines in labels.csv) out of the data, then run the same command. "
        "--skip-bad goes on without them and records them in the run; `fieldcraft audit` lists all that it found."
    )
    return "\n".join([f"{name}: {reasons}:", *(f"  {line}" for line in lines[:SHOWN]), *more, advice])
