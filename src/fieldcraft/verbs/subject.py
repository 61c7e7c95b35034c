"""What a proof is about: the data of a run, or data that no run was made of yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import PlanError, RunError
from fieldcraft.plan.edit import edit
from fieldcraft.plan.masks import PatchInput
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import read_plan
from fieldcraft.records.decision import Decision
from fieldcraft.records.facts import Budget, Facts, MachineFacts
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.audit import Care
from fieldcraft.verbs.draft import CACHE, left_out_by
from fieldcraft.verbs.evidence import prior
from fieldcraft.verbs.machine import known_machine
from fieldcraft.verbs.masks.proof import MaskProof
from fieldcraft.verbs.prepare import EARLY, Prepared, Wardrobe, known, prepare
from fieldcraft.verbs.proof_kind import ProofKind
from fieldcraft.verbs.reopen import reopened, request_of
from fieldcraft.verbs.run import Run
from fieldcraft.verbs.sample_proof import SampleProof
from fieldcraft.verbs.start import start_plan

FIT_S = 600.0
"""What a fit takes where nobody says anything: the budget that data without a run is planned for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """What a proof is about."""

    prepared: Prepared
    wardrobe: Wardrobe
    edits: tuple[str, ...]
    without: frozenset[str]
    fit_s: float
    """The budget of the fit whose tips are in question."""
    run: Run | None
    evidence: bool = True
    """Whether drafts may leave out tips that evidence speaks against."""

    @property
    def folder(self) -> Path:
        """Where the proof is kept when nobody says otherwise."""
        return (self.run.path if self.run else Path("runs") / self.prepared.dataset.name) / "proof"

    @property
    def ledger(self) -> Path | None:
        """Of the looks that were taken at the test part; None where there was no run."""
        return self.run.folder.ledger if self.run else None

    @property
    def kind(self) -> ProofKind:
        """What is its own of a proof of such samples."""
        masks = isinstance(self.prepared.start.input, PatchInput)
        return (MaskProof if masks else SampleProof)(prepared=self.prepared, wardrobe=self.wardrobe)

    def facts(self, machine: MachineFacts, budget_s: float) -> Facts:
        """What is known of the data, on this machine; deep facts take their share of the budget."""
        if self.run is not None:
            return replace(self.run.facts, machine=machine, measured={})
        found = known(self.prepared, min(self.fit_s, budget_s), machine=machine)
        found = replace(found, budget=Budget(seconds=self.fit_s))
        if self.evidence:
            found = replace(found, evidence=prior())
        return self.kind.deepened(found, budget_s)

    def fitted(self) -> tuple[Plan, tuple[Decision, ...]] | None:
        """The plan of the run with its story, where there is a run."""
        if self.run is None:
            return None
        file = read_plan(self.run.folder.plan)
        return file.plan, file.decisions


def subject(
    what: object,
    *,
    source: object = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    edits: Sequence[str] = (),
    without: Sequence[str] = (),
    seed: int = 0,
    fit_s: float | None = None,
    evidence: bool = True,
    care: Care = Care(),  # noqa: B008  (frozen)
    weights: Sequence[str] = (),
) -> Subject:
    """Open a run's folder, or data. `source`: a run's data again, where it lay in memory.

    Raises: RunError, DataError; PlanError when the run's plan was not drafted, or drafted otherwise than is asked now.
    """
    run = _run(what)
    if run is None:
        prepared = prepare(what, options, seed=seed, edits=edits, care=care, weights=weights)
        return Subject(
            prepared=prepared, wardrobe=Wardrobe(prepared, CACHE), edits=tuple(edits), without=frozenset(without),
            fit_s=fit_s or FIT_S, run=None, evidence=evidence,
        )  # fmt: skip
    if not run.folder.plan.exists():
        raise RunError(f"{run.path} has no plan yet, so there is nothing to prove in it: fit it first.")
    request = request_of(run)
    if request.plan is not None:
        raise PlanError(
            f"the plan of {run.path} was given to it, no tip decided in that run: prove the data itself "
            "(fieldcraft prove DATA), with what you set by hand as --set."
        )
    if edits or without or weights:
        raise PlanError(
            f"{run.path} has its own --set, --without and --weights: leave these out, or prove the data itself."
        )
    prepared = reopened(run, source)
    start = start_plan(prepared.dataset, request.seed)
    start = edit(start, [one for one in request.edits if one.startswith(EARLY)])
    prepared = replace(prepared, start=start)
    return Subject(
        prepared=prepared, wardrobe=Wardrobe(prepared, CACHE), edits=request.edits, run=run,
        without=left_out_by(request.without, request.only), fit_s=fit_s or request.budget_s or FIT_S,
    )  # fmt: skip


def machine_share(workers: int, cores: int, *, budget_s: float) -> MachineFacts:
    """The machine as one of several workers sees it: with its cores, and its share of the memory."""
    machine = known_machine(CACHE, budget_s=budget_s)
    free, of_gpu = machine.free_mib // workers, machine.gpu_memory_mib // workers
    return replace(machine, cores=cores, free_mib=free, gpu_memory_mib=of_gpu)


def _run(what: object) -> Run | None:
    """The run that is meant, unless it is data."""
    if isinstance(what, Run):
        return what
    if isinstance(what, str | Path) and RunFolder(Path(what)).provenance.exists():
        return Run(Path(what))
    return None
