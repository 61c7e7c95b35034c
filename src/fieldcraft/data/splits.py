"""Parts of a data set: as given, or drawn: stratified, with groups whole, in the order of time where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import PARTS, Dataset, Part, Targets
from fieldcraft.data.draw import draw_groups, draw_latest, draw_stratified, strata_of
from fieldcraft.data.near import listed
from fieldcraft.errors import DataError, RunError
from fieldcraft.plan.schema import Splits
from fieldcraft.records.files import read_json, write_json, write_whole
from fieldcraft.records.streams import stream_seed

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows of each part, ascending; together they are all samples, once."""

    train: Rows
    validation: Rows
    test: Rows

    def rows(self, part: Part) -> Rows:
        """The rows of one part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]


def part(dataset: Dataset, splits: Splits, seed: int) -> Parts:
    """Parts as the data gives them; what it does not give is drawn from its training samples.

    Groups are never torn by a draw. With times, the latest samples are for testing, those before for validation.
    Raises: DataError when a part would be empty, or a class has no training sample.
    """
    train = np.arange(len(dataset), dtype=np.int64)
    validation, test = train[:0], train[:0]
    if dataset.given is not None:
        train, validation, test = (np.flatnonzero(dataset.given == name).astype(np.int64) for name in PARTS)
        if not len(train):
            raise DataError(f"{dataset.name} gives no training samples: its parts are {set(dataset.given.tolist())}.")
    if not len(test):
        train, test = drawn(dataset, train, splits.test, seed, "test")
    if not len(validation):
        train, validation = drawn(dataset, train, splits.validation, seed, "validation")
    parts = Parts(train=train, validation=validation, test=test)
    check_parts(dataset, parts)
    return parts


def validates_at_random(dataset: Dataset) -> bool:
    """Whether validation is a random draw from what training is drawn from: neither given nor later in time."""
    given = dataset.given is not None and bool((dataset.given == "validation").any())
    return dataset.times is None and not given


def write_parts(folder: Path, parts: Parts, ids: Sequence[str]) -> None:
    """train.txt, validation.txt and test.txt with a name a line, and splits.json with their counts."""
    for name in PARTS:
        lines = [_escaped(ids[row]) for row in parts.rows(name)]
        write_whole(folder / f"{name}.txt", "".join(f"{line}\n" for line in lines))
    write_json(folder / "splits.json", "splits", {name: len(parts.rows(name)) for name in PARTS})


def read_parts(folder: Path, ids: Sequence[str]) -> Parts:
    """The parts that were written, as rows of the data set with these ids.

    Raises: RunError when a list is missing or damaged, or the data is another.
    """
    counts = read_json(folder / "splits.json", "splits")
    place = {_escaped(name): row for row, name in enumerate(ids)}
    rows: dict[str, Rows] = {}
    for name in PARTS:
        try:
            lines = (folder / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{folder / name}.txt cannot be read ({error}): the run folder is damaged.") from error
        if len(lines) != counts.get(name):
            raise RunError(
                f"{folder / name}.txt has {len(lines)} lines, not {counts.get(name)}: it was changed by hand."
            )
        if gone := [line for line in lines if line not in place]:
            raise RunError(
                f"{folder / name}.txt names {len(gone)} samples that the data does not have (such as {listed(gone, 3)})"
                ": the data has changed since. Use another run folder (--out)."
            )
        rows[name] = np.sort(np.array([place[line] for line in lines], np.int64))
    every = np.concatenate(list(rows.values()))
    if len(np.unique(every)) != len(every):
        raise RunError(f"{folder} names a sample in two parts: it was changed by hand.")
    if len(every) != len(ids):
        raise RunError(
            f"{folder} names {len(every)} samples, the data has {len(ids)}: it has changed since. Use another run "
            "folder (--out)."
        )
    return Parts(train=rows["train"], validation=rows["validation"], test=rows["test"])


def drawn(dataset: Dataset, pool: Rows, share: float, seed: int, name: Part) -> tuple[Rows, Rows]:
    """(kept, drawn) of a pool of rows, both ascending: about a share of them, from the stream of `name`.

    Stratified, or by whole groups, or the latest. Raises: DataError when that would leave one of both empty.
    """
    random = np.random.default_rng(stream_seed(seed, "split", name))
    wanted = min(max(round(share * len(pool)), 1), len(pool) - 1)
    if wanted < 1:
        raise DataError(f"{dataset.name} has too few samples ({len(dataset)}) for a {name} part: give at least 6.")
    groups = None if dataset.groups is None else np.unique(dataset.groups[pool], return_inverse=True)[1]
    strata = strata_of(dataset.targets, pool)
    if dataset.times is not None:
        chosen = draw_latest(dataset.times[pool], groups, wanted)
    elif groups is not None:
        chosen = draw_groups(strata, groups, share, random)
    else:
        chosen = draw_stratified(strata, wanted, random)
    if not chosen.any() or chosen.all():
        what = "moments" if dataset.times is not None else "groups" if groups is not None else "samples"
        raise DataError(
            f"{dataset.name} cannot be parted: no {name} part of about {share:.0%} can be taken from {len(pool)} "
            f"samples without tearing {what} apart or losing a class from training. Give parts yourself (a split "
            "column, or folders train, validation and test), or fewer constraints."
        )
    return pool[~chosen], pool[chosen]


def check_parts(dataset: Dataset, parts: Parts) -> None:
    """Raises: DataError unless every class, or one positive sample of every label, is in training."""
    for name in PARTS:
        if not len(parts.rows(name)):
            raise DataError(f"{dataset.name}: no sample is left for the {name} part; give more samples.")
    if gone := missing(dataset.targets, parts.train):
        kind = "label" if dataset.targets.task == "multi-label" else "class"
        raise DataError(
            f"{dataset.name}: {len(gone)} {kind}(es) have no training sample: {listed(gone)}. What was not seen "
            "in training cannot be predicted: move samples of it into the training part, or leave it out."
        )


def missing(targets: Targets, rows: Rows) -> list[str]:
    """Classes or labels, in quotes, that no sample of some rows has; nothing of a regression."""
    if targets.task == "regression":
        return []
    values = targets.values[rows].astype(np.int64)
    if targets.task == "single-label":
        counts = np.bincount(values, minlength=len(targets.names))
    else:
        counts = (values != 0).sum(axis=0)
    if targets.task == "segmentation":
        counts[~(targets.values != 0).any(axis=0)] = 1  # named, but in no mask at all: nothing that splits could change
    return [repr(name) for name, count in zip(targets.names, counts, strict=True) if not count]


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
