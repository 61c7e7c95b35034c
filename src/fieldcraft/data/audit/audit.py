"""All checks in their order, within their time."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from fieldcraft.data.audit.cases.constant import constant as constant_images
from fieldcraft.data.audit.cases.masks import masks
from fieldcraft.data.audit.cases.not_finite import not_finite as not_finite_images
from fieldcraft.data.audit.cases.placement import placement
from fieldcraft.data.audit.cases.seen import SeenCases
from fieldcraft.data.audit.cases.unusable import unusable
from fieldcraft.data.audit.channels import channels
from fieldcraft.data.audit.constant import constant
from fieldcraft.data.audit.group_leaks import group_leaks
from fieldcraft.data.audit.labels import labels
from fieldcraft.data.audit.near_repeats import near_repeats
from fieldcraft.data.audit.not_finite import not_finite
from fieldcraft.data.audit.repeats import repeats
from fieldcraft.data.audit.seen import Deadline, Seen
from fieldcraft.data.audit.shift import shift
from fieldcraft.data.audit.unreadable import unreadable
from fieldcraft.data.cases import Cases
from fieldcraft.data.checks import check
from fieldcraft.data.dataset import Dataset
from fieldcraft.data.take import take
from fieldcraft.errors import DataError
from fieldcraft.records.audit import Audit, Complaint

Check = Callable[[Seen], tuple[Complaint, ...]]

ALL: tuple[Check, ...] = (
    unreadable,
    not_finite,
    labels,
    repeats,
    group_leaks,
    constant,
    channels,
    near_repeats,
    shift,
)
OF_CASES: tuple[Callable[[SeenCases], tuple[Complaint, ...]], ...] = (
    unusable,
    not_finite_images,
    masks,
    constant_images,
    placement,
)
DEAR: Mapping[Check, str] = MappingProxyType(
    {near_repeats: "near duplicates", shift: "test samples unlike the training ones"}
)
"""Checks that are left out when the time is over, by what they look for."""


def audit(dataset: Dataset, limit_s: float | None = None) -> Audit:
    """Look at every sample. When `limit_s` is over, files not read yet and dear checks are left out, which is said.

    What remains after the bad samples are left out must still be something to learn from; if not, that is the last
    complaint, and no sample is to blame for it.
    """
    began = time.monotonic()
    if isinstance(dataset.inputs, Cases):
        return _of_cases(dataset, dataset.inputs, began, limit_s)
    seen = Seen(dataset=dataset, deadline=Deadline(at=None if limit_s is None else began + limit_s))
    complaints: list[Complaint] = []
    looked: list[str] = []
    for one in ALL:
        if one in DEAR and seen.deadline.over():
            looked.append(f"not looked for: {DEAR[one]} (the {limit_s:.1f} s for the audit were over)")
        else:
            complaints += one(seen)
    return _concluded(dataset, complaints, (_read(seen), *looked), began)


def _of_cases(dataset: Dataset, inputs: Cases, began: float, limit_s: float | None) -> Audit:
    deadline = Deadline(at=None if limit_s is None else began + limit_s)
    seen = SeenCases(dataset=dataset, inputs=inputs, deadline=deadline)
    complaints = [found for one in OF_CASES for found in one(seen)]
    whole = Seen(dataset=dataset, deadline=deadline)
    read = sum(one is not None for one in seen.looks)
    looked = [f"all {len(inputs):,} cases were read" if read == len(inputs) else
              f"{read:,} of {len(inputs):,} cases were read, drawn by lot, in the time for the audit"]  # fmt: skip
    if deadline.over():
        looked.append(f"not looked for: equal images (the {limit_s:.1f} s for the audit were over)")
    else:
        complaints += repeats(whole)
    complaints += group_leaks(whole)
    return _concluded(dataset, complaints, tuple(looked), began)


def _concluded(dataset: Dataset, complaints: list[Complaint], looked: tuple[str, ...], began: float) -> Audit:
    """What is left once bad samples are gone must still be something to learn from."""
    try:
        check(without(dataset, bad_samples(complaints)))
    except DataError as error:
        complaints = [*complaints, Complaint(kind="nothing-to-learn", severity="stop", reason=str(error))]
    return Audit(
        samples=len(dataset) + len(dataset.problems),
        complaints=tuple(sorted(complaints, key=lambda one: one.severity != "stop")),
        looked=looked,
        seconds=time.monotonic() - began,
    )


def bad_samples(complaints: Sequence[Complaint]) -> tuple[str, ...]:
    """Those that would spoil the result, each once."""
    stops = (one for one in complaints if one.severity == "stop")
    return tuple(dict.fromkeys(name for one in stops for name in one.samples))


def without(dataset: Dataset, names: tuple[str, ...]) -> Dataset:
    """The data set without some samples; unreadable ones among them are no longer its problems."""
    gone = set(names)
    rows = np.array([row for row, name in enumerate(dataset.ids) if name not in gone], np.int64)
    problems = tuple(problem for problem in dataset.problems if problem.sample not in gone)
    kept = dataset if len(rows) == len(dataset) else take(dataset, rows)
    return kept if problems == dataset.problems else replace(kept, problems=problems)


def _read(seen: Seen) -> str:
    count = len(seen.dataset)
    if seen.copies is None or seen.copies.looked >= count:
        return f"all {count:,} {seen.what} were read"
    return f"{seen.copies.looked:,} of {count:,} {seen.what} were read, drawn by lot, in the time for the audit"
