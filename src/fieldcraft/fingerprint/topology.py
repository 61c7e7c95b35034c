"""The shape of the cloud of samples, and how the targets lie in it."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.affordable import affordable
from fieldcraft.fingerprint.betti import betti
from fieldcraft.fingerprint.cloud import Points, Samples, distances, first_of_each, points
from fieldcraft.fingerprint.looks import looked_at, looks
from fieldcraft.fingerprint.neighbours import agreement
from fieldcraft.fingerprint.ridges import coded, linear_out_of_fold, worth
from fieldcraft.fingerprint.some import Rows, folds, some, told
from fieldcraft.fingerprint.two_nn import Dimension, two_nn
from fieldcraft.records.deep_facts import ClassBetti, Topology
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Task

SECONDS_A_THOUSAND, POWER = 0.25, 1.7
LEAST, MOST = 300, 3_000
FOLDS = 5
LEAST_SAMPLES = 10
BETTI_SECONDS_A_THOUSAND, BETTI_POWER = 2.0, 2.5
BETTI_LEAST, BETTI_MOST = 60, 250
"""Samples of one class."""

Targets = npt.NDArray[np.generic]


def topology(
    samples: Samples,
    targets: Targets,
    groups: npt.NDArray[np.generic] | None,
    task: Task,
    *,
    seed: int,
    limit_s: float,
) -> Topology | None:
    """Intrinsic dimension, agreement of neighbours and linear separability, on a subsample; `holes` has the rest.

    `samples`: (n, d) standardised features or (n, height, width, channels) pixels of the training part. The dimension
    is that of the principal components of the pixels; what depends on targets is seen through the probe's filters.
    None: fewer than ten samples that differ.
    """
    rows, between = _apart(samples, targets, seed, limit_s)
    if len(rows) < LEAST_SAMPLES:
        return None
    sample = told(len(rows), len(targets))
    dimension = two_nn(between)
    seen, kept = looks(samples, rows, seed), targets[rows]
    fold = folds(len(rows), None if groups is None else groups[rows], FOLDS, seed)
    code = coded(kept, task)
    what = {"single-label": "accuracy", "multi-label": "share of right labels", "regression": "R2"}[task]
    return Topology(
        dimension=_fact(dimension, sample),
        dimension_95=None if dimension is None else (dimension.low, dimension.high),
        neighbours=Fact(
            value=agreement(distances(seen), kept, task),
            method=f"{what} of the nearest neighbour{'s' if task == 'regression' else ''} among {looked_at(samples)}",
            sample=sample,
        ),
        separability=Fact(
            value=worth(code, linear_out_of_fold(seen, code, fold), task),
            method=f"{what} of ridge regression on {looked_at(samples)}, out of fold",
            sample=sample,
        ),
        chance=0.0 if task == "regression" else _chance(code, task),
    )


def holes(
    samples: Samples,
    targets: Targets,
    names: tuple[str, ...],
    task: Task,
    *,
    seed: int,
    limit_s: float,
) -> Fact[tuple[ClassBetti, ...]] | None:
    """Betti numbers of each class, on a subsample. None: no class has enough samples.

    Raises: MissingExtraError without gudhi.
    """
    clouds = min(10, len(names)) if task == "single-label" else 1
    most = affordable(
        limit_s / clouds,
        samples[:1].size,
        seconds_a_thousand=BETTI_SECONDS_A_THOUSAND,
        power=BETTI_POWER,
        least=BETTI_LEAST,
        most=BETTI_MOST,
    )
    return betti(samples, targets, names, task, seed=seed, most=most)


def _apart(samples: Samples, targets: Targets, seed: int, limit_s: float) -> tuple[Rows, Points]:
    """Rows of a subsample without repeats, and their distances."""
    most = affordable(
        limit_s, samples[:1].size, seconds_a_thousand=SECONDS_A_THOUSAND, power=POWER, least=LEAST, most=MOST
    )
    rows = some(targets, most, seed, "cloud")
    between = distances(points(samples, rows, seed))
    kept = first_of_each(between)
    return rows[kept], between[np.ix_(kept, kept)]


def _fact(found: Dimension | None, sample: str) -> Fact[float] | None:
    if found is None:
        return None
    repeats = f"; {found.repeats:,} near repeats left out" if found.repeats else ""
    return Fact(value=found.value, method=f"TwoNN, the largest tenth of ratios cut off{repeats}", sample=sample)


def _chance(code: Points, task: Task) -> float:
    share = code.mean(axis=0)
    return float(share.max() if task == "single-label" else np.maximum(share, 1 - share).mean())
