"""Fingerprint: everything that is known of some data and this machine before anything is planned."""

from dataclasses import dataclass
from pathlib import Path

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset, ReadOptions
from fieldcraft.data.digest import digest
from fieldcraft.data.open import read_data
from fieldcraft.data.splits import part
from fieldcraft.fingerprint.data import data_facts
from fieldcraft.plan.schema import Splits
from fieldcraft.records.facts import Budget, Facts
from fieldcraft.records.files import write_whole
from fieldcraft.report.fingerprint_page import fingerprint_page
from fieldcraft.train.engine import restored
from fieldcraft.verbs.audit import Care, audited
from fieldcraft.verbs.budget import seconds
from fieldcraft.verbs.deep import DEEP_S, with_deep_facts
from fieldcraft.verbs.draft import CACHE
from fieldcraft.verbs.machine import known_machine
from fieldcraft.verbs.pictures import shown_samples
from fieldcraft.verbs.prepare import Wardrobe, known, prepare

UNLIMITED_S = 300.0
"""For the deep facts without a limit: more brings nothing, as their subsamples are bounded."""


@dataclass(frozen=True)
class Fingerprint:
    """Facts of the data and the machine."""

    facts: Facts
    page: str
    """The same as one self-contained HTML page."""

    def write_page(self, path: Path) -> Path:
        """Write the page. Raises: RunError when it cannot be written."""
        write_whole(path, self.page)
        return path


def facts_of(
    data: object,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008  (frozen)
    limit: str | float | None = DEEP_S,
    seed: int = 0,
    cache: Path = CACHE,
) -> Fingerprint:
    """Look at some data and this machine.

    `data`: a path, a built-in name, (X, y), a frame, or a map-style torch Dataset. `limit`: "20s" or seconds for what
    takes probes; None: as long as it takes on the largest subsamples. The reference steps of the machine are measured
    once (10 s) and kept. Raises: DataError; BudgetError for a limit that is no time.
    """
    limit_s = seconds(limit)
    dataset = read_data(data, options)
    if isinstance(dataset.inputs, Cases):
        return _of_cases(dataset, limit_s, seed, cache)
    prepared = prepare(dataset, options, seed=seed)
    wardrobe = Wardrobe(prepared, cache)
    samples = wardrobe.samples(prepared.start)
    with restored():
        facts = known(prepared, None, machine=known_machine(cache, measure=True))
        facts = with_deep_facts(facts, samples, seed=seed, limit_s=UNLIMITED_S if limit_s is None else limit_s)
    pixels = shown_samples(samples) if samples.pixels is not None else {}
    return Fingerprint(facts, fingerprint_page(facts, pixels))


def _of_cases(dataset: Dataset, limit_s: float | None, seed: int, cache: Path) -> Fingerprint:
    """Images with masks need no probes: their facts are read off the masks and the voxels."""
    kept, _ = audited(dataset, Care(limit_s=limit_s))
    parts = part(kept, Splits(), seed)
    found = data_facts(kept, parts, digest(kept), limit_s=UNLIMITED_S if limit_s is None else limit_s)
    facts = Facts(data=found, machine=known_machine(cache, measure=True), budget=Budget(seconds=None))
    return Fingerprint(facts, fingerprint_page(facts, {}))
