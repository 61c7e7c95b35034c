"""Where a run comes from: what was asked, with which versions, on which machine; and whose folder it is."""

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from fieldcraft.errors import RunError
from fieldcraft.records.alone import LOCK
from fieldcraft.records.facts import MachineFacts
from fieldcraft.records.files import read_json, write_json
from fieldcraft.train.run_folder import RunFolder

PACKAGES = ("fieldcraft", "torch", "lightning-fabric", "numpy", "scikit-learn", "pandas", "pillow")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for: two equal requests are the same command."""

    source: str
    """Path, built-in name, or the kind of object that was given."""
    data_digest: str
    options: tuple[str, ...]
    budget_s: float | None
    plan: str | None
    """Digest of the plan that was given, or None when it was drafted."""
    edits: tuple[str, ...]
    without: tuple[str, ...]
    only: tuple[str, ...]
    seed: int
    skip_bad: bool = False
    relabel: tuple[tuple[str, str], ...] = ()
    """Labels that were corrected: sample and class."""
    evidence: bool = True
    """Whether the draft could leave out tips that evidence speaks against."""
    weights: tuple[tuple[str, str], ...] = ()
    """Pretrained weights that were given: name and digest of each."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The content of provenance.json."""

    request: Request
    command: tuple[str, ...]
    versions: dict[str, str]
    python: str
    system: str
    machine: MachineFacts


ASKED = {
    "source": "DATA", "data_digest": "the content of the data", "options": "how DATA is read", "budget_s": "--budget",
    "plan": "the plan", "edits": "--set", "without": "--without", "only": "--only", "seed": "--seed",
    "skip_bad": "--skip-bad", "relabel": "--relabel", "evidence": "the use of evidence",
    "weights": "--weights",
}  # fmt: skip
"""How a user knows each field of a request."""
UNREADABLE = ("the content of the data", "the plan", "--relabel", "--weights")
"""Too long, or only digests are kept."""


def provenance(request: Request, command: tuple[str, ...], machine: MachineFacts) -> Provenance:
    """Gather it."""
    return Provenance(
        request=request,
        command=command,
        versions={name: _version(name) for name in PACKAGES},
        python=sys.version.split()[0],
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        machine=machine,
    )


def claim(folder: RunFolder, request: Request) -> bool:
    """Whether the folder already holds this very run, with a plan; it is the caller's in any case.

    A run that never came to a plan is cleared away: nothing in it was decided yet, and the time that it took, perhaps
    in vain, is not held against the next.
    Raises: RunError when it holds another run, or something that is no run.
    """
    if not folder.provenance.exists():
        unwritten = f".{folder.provenance.name}."  # what a process killed while writing it leaves
        strange = sorted(
            path.name for path in folder.path.iterdir() if path.name != LOCK and not path.name.startswith(unwritten)
        )
        if strange:
            raise RunError(
                f"{folder.path} is not empty and holds no run (found {', '.join(strange[:4])}): choose another --out."
            )
        return False
    before = TypeAdapter(Provenance).validate_python(read_json(folder.provenance, "provenance")).request
    if not folder.plan.exists():
        _clear(folder)
        return False
    if before == request:
        return True
    told = "; ".join(
        _changed(word, getattr(before, name), getattr(request, name))
        for name, word in ASKED.items()
        if getattr(before, name) != getattr(request, name)
    )
    raise RunError(f"{folder.path} holds a run of another command ({told}). Choose another --out, or delete it.")


def _changed(word: str, before: object, now: object) -> str:
    if word in UNREADABLE:
        return f"{word} is another"
    return f"{word} was {_written(before)}, now {_written(now)}"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "not given"
    if isinstance(value, float):
        return f"{value:g} s"
    return "none" if value is None else str(value)


def _clear(folder: RunFolder) -> None:
    """Remove what a run writes before its plan; provenance.json last, since it says whose folder this is."""
    shutil.rmtree(folder.splits, ignore_errors=True)
    for path in (folder.journal, folder.facts, folder.audit, folder.provenance):
        path.unlink(missing_ok=True)


def keep(folder: RunFolder, found: Provenance) -> None:
    """Write provenance.json."""
    write_json(folder.provenance, "provenance", found)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
