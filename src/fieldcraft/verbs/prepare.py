"""From a source to samples that are parted and known: what every verb does first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset, ReadOptions, Table
from fieldcraft.data.digest import digest
from fieldcraft.data.open import read_data
from fieldcraft.data.relabel import Fix, read_fixes, relabelled
from fieldcraft.data.splits import Parts, check_parts, part, read_parts, write_parts
from fieldcraft.data.table_encoder import TableEncoder
from fieldcraft.errors import DataError, RunError
from fieldcraft.fingerprint.cases.facts import LIMIT_S
from fieldcraft.fingerprint.data import data_facts
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.cases import check_cases
from fieldcraft.plan.edit import edit
from fieldcraft.plan.masks import PatchInput
from fieldcraft.plan.schema import ImageInput, Plan, TableInput
from fieldcraft.records.audit import Audit
from fieldcraft.records.facts import Budget, Facts, MachineFacts
from fieldcraft.records.files import write_json
from fieldcraft.records.weights import WeightsFacts
from fieldcraft.tips.rough import DEEP
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.audit import Care, audited
from fieldcraft.verbs.masks.samples import MaskSamples, ready_masks
from fieldcraft.verbs.samples import Samples, in_buckets, ready, sizes_of
from fieldcraft.verbs.start import start_plan
from fieldcraft.verbs.weights import check_weights, found_weights

LAST = "splits.json"  # of the files of the splits, the one that is written last
EARLY = ("seed", "splits.", "input.", "task.")  # edits that matter before the first tip


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A data set that was read and parted, with the plan that it starts from."""

    dataset: Dataset
    digest: str
    parts: Parts
    start: Plan
    audit: Audit
    """What is wrong with the samples, and which of them were left out."""
    fixes: tuple[Fix, ...] = ()
    """Labels that were corrected."""
    weights: tuple[WeightsFacts, ...] = ()
    """Pretrained weights that the user gave."""


def prepare(
    source: object,
    options: ReadOptions,
    *,
    seed: int,
    plan: Plan | None = None,
    edits: Sequence[str] = (),
    care: Care = Care(),  # noqa: B008  (frozen)
    weights: Sequence[str] = (),
) -> Prepared:
    """Read a source, audit it, and part it as the plan (or the schema) says; look at the weights that were given.

    Labels are corrected after the parting, so that a correction moves no sample from one part to another.
    """
    given = found_weights(weights, download=options.download, say=care.say)
    whole = read_data(source, options)
    check_weights(whole, given)
    dataset, found = audited(whole, care)
    if care.relabel is not None and isinstance(dataset.inputs, Cases):
        raise DataError(f"{care.relabel} corrects labels of samples, but {dataset.name} has masks: correct the files.")
    plain = start_plan(dataset, seed)
    start = plan or edit(plain, [one for one in edits if one.startswith(EARLY)])
    if isinstance(start.input, PatchInput) and isinstance(plain.input, PatchInput):
        check_cases(start.input, plain.input)
    parts = part(dataset, start.splits, start.seed)
    fixes: tuple[Fix, ...] = ()
    if care.relabel is not None:
        dataset, fixes, left = relabelled(dataset, read_fixes(care.relabel), parts.test, care.relabel)
        check_parts(dataset, parts)
        care.say(f"{len(fixes):,} label(s) corrected, as {care.relabel} says")
        if left:
            care.say(f"{len(left):,} label(s) of the test part stay as they are, so that results can be compared")
    return Prepared(
        dataset=dataset, digest=digest(dataset), parts=parts, start=start,
        audit=replace(found, relabelled=len(fixes)), fixes=fixes, weights=given,
    )  # fmt: skip


def keep_parts(prepared: Prepared, folder: Path) -> None:
    """Write the parts, or check that they are the ones written before.

    Raises: RunError when the run was begun with other parts.
    """
    if not (folder / LAST).exists():
        write_parts(folder, prepared.parts, prepared.dataset.ids)
        return
    before = read_parts(folder, prepared.dataset.ids)
    for name in ("train", "validation", "test"):
        if list(before.rows(name)) != list(prepared.parts.rows(name)):
            raise RunError(f"{folder} holds another {name} part than this command makes: choose another --out.")


def keep_audit(prepared: Prepared, folder: RunFolder) -> None:
    """Write what the audit found, once."""
    if not folder.audit.exists():
        write_json(folder.audit, "audit", prepared.audit)


def known(prepared: Prepared, budget_s: float | None, *, machine: MachineFacts | None = None) -> Facts:
    """Facts of data, machine and budget; no measurements yet."""
    width = None
    if isinstance(prepared.dataset.inputs, Table) and isinstance(prepared.start.input, TableInput):
        width = TableEncoder.fit(prepared.dataset.inputs, prepared.parts.train, prepared.start.input).width
    return Facts(
        data=data_facts(
            prepared.dataset, prepared.parts, prepared.digest, encoded_width=width, limit_s=cases_s(budget_s)
        ),
        machine=machine or machine_facts(),
        budget=Budget(seconds=budget_s),
        weights=prepared.weights,
    )


def cases_s(budget_s: float | None) -> float:
    """Seconds for reading images with masks, within a share of the budget."""
    return LIMIT_S if budget_s is None else min(LIMIT_S, DEEP["cases"] * budget_s)


class Wardrobe:
    """Samples by the plan's input, made ready once."""

    def __init__(self, prepared: Prepared, cache: Path) -> None:
        self._prepared, self._cache = prepared, cache
        self._ready: dict[object, Samples] = {}
        self._masks: dict[object, MaskSamples] = {}

    def samples(self, plan: Plan) -> Samples:
        """Samples as this plan wants them."""
        key = sizes_of(plan)
        if key not in self._ready:
            self._ready[key] = self._made(plan)
        return self._ready[key]

    def _made(self, plan: Plan) -> Samples:
        if not isinstance(plan.input, ImageInput) or not plan.input.buckets:
            return ready(self._prepared.dataset, self._prepared.parts, plan, self._cache)
        return in_buckets(self.samples(replace(plan, input=replace(plan.input, buckets=()))), plan, self._cache)

    def masks(self, plan: Plan) -> MaskSamples:
        """Images with masks as this plan wants them."""
        assert isinstance(plan.input, PatchInput)
        key = (plan.input.spacing, plan.input.normalise)
        if key not in self._masks:
            prepared = self._prepared
            self._masks[key] = ready_masks(prepared.dataset, prepared.parts, plan, self._cache, prepared.digest)
        return replace(self._masks[key], sample=plan.input)

    def timed(self, plan: Plan) -> Samples | MaskSamples:
        """Whichever this plan is for."""
        return self.masks(plan) if isinstance(plan.input, PatchInput) else self.samples(plan)
