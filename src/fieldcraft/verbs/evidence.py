"""Evidence: file what proofs found of tips, and say what all of it adds up to."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import TypeAdapter

from fieldcraft.errors import PlanError, RunError
from fieldcraft.plan.shape import nearest
from fieldcraft.plan.toml import read_plan
from fieldcraft.proof.document import read_proof
from fieldcraft.proof.evidence import Store, on_file, theirs
from fieldcraft.proof.filing import Ground, filed
from fieldcraft.proof.weigh import weigh
from fieldcraft.records.evidence import Evidence
from fieldcraft.records.facts import Facts
from fieldcraft.records.files import read_json
from fieldcraft.records.prior import Prior, TipPrior
from fieldcraft.tips import ALL
from fieldcraft.tips.interface import Tip
from fieldcraft.tips.outside import with_outside
from fieldcraft.tips.version import version as tip_version

PROOF, FACTS, PLAN = "proof.json", "facts.json", "plan.toml"
BEGUN = "setting.json"
"""What a proof writes before its first trial."""
WITHIN = "proof"
"""The folder of a run in which its proof stands."""
PACKAGES = ("fieldcraft", "torch", "numpy")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is on file."""

    lines: tuple[Evidence, ...]
    """Each verdict once, by tip."""
    tips: tuple[TipPrior, ...]
    """What they add up to, for each tip, kind of samples and family of metrics."""
    digest: str
    """Of all lines; a plan that read them carries it among its facts."""
    stale: frozenset[str]
    """Tips of which some lines are about another version than the present one: those are shown, but not pooled."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What came of filing a proof."""

    lines: tuple[Evidence, ...]
    new: int
    """How many of them were not on file yet."""
    folder: Path
    """Where they are."""


def evidence(tip: str | None = None) -> Known:
    """What proofs on file say of the tips: fieldcraft's own, and those of the user.

    `tip`: only this one. Raises: PlanError for a tip that does not exist; RunError for damaged files.
    """
    tips = with_outside(ALL)
    _check(tip, tips)
    lines = on_file()
    versions = _versions(lines, tips)
    found = weigh(lines, versions)
    return Known(
        lines=tuple(line for line in lines if tip in (None, line.tip)),
        tips=tuple(one for one in found.tips if tip in (None, one.tip)),
        digest=found.digest,
        stale=frozenset(one.tip for one in lines if one.version != versions.get(one.tip)),
    )


def keep_evidence(proof: str | Path, *, name: str = "", store: Store | None = None) -> Kept:
    """File the verdicts of a proof, so that later plans can rest on them.

    `proof`: its folder, or the run that it is of. `name`: what the data set is known by in public, if it is; lines hold
    neither data nor paths nor names of samples. `store`: by default the user's own.
    Raises: RunError when there is no finished proof, when it is not to be trusted, or when it says nothing of a tip.
    """
    folder = _folder(Path(proof))
    tips = with_outside(ALL)
    found = read_proof(folder / PROOF)
    ground = Ground(
        facts=TypeAdapter(Facts).validate_python(read_json(folder / FACTS, "facts")),
        plan=read_plan(folder / PLAN).plan,
        tips={one.name: tip_version(one) for one in tips},
        versions={"python": platform.python_version(), **{package: _installed(package) for package in PACKAGES}},
        name=name,
    )
    lines = filed(found, ground)
    store = store or theirs()
    return Kept(lines=lines, new=store.add(lines), folder=store.folder)


def prior() -> Prior:
    """What a draft reads: all evidence on file, weighed for the tips as they decide now."""
    lines = on_file()
    return weigh(lines, _versions(lines, with_outside(ALL))) if lines else Prior()


def _versions(lines: tuple[Evidence, ...], tips: tuple[Tip, ...]) -> dict[str, str]:
    """Of the tips that there are lines of: finding a version takes a millisecond or two."""
    told = {line.tip for line in lines}
    return {tip.name: tip_version(tip) for tip in tips if tip.name in told}


def _folder(given: Path) -> Path:
    for folder in (given, given / WITHIN):
        if (folder / PROOF).is_file():
            return folder
    begun = next((folder for folder in (given, given / WITHIN) if (folder / BEGUN).is_file()), None)
    if not given.is_dir():
        raise RunError(f"{given} is no folder: give the folder of a proof, or the run that it is of.")
    if begun is not None:
        raise RunError(
            f"{begun} has no {PROOF}: no proof has ended there. `fieldcraft prove` goes on where it was, and writes it."
        )
    raise RunError(f"{given} holds no proof: `fieldcraft prove` makes one.")


def _check(tip: str | None, tips: tuple[Tip, ...]) -> None:
    names = tuple(one.name for one in tips)
    if tip is not None and tip not in names:
        raise PlanError(f"no tip is called {tip}{nearest(tip, names) or '.'} `fieldcraft tips` lists all {len(names)}.")


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
