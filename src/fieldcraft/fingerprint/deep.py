"""All deep facts of the training part, in order of worth, within a limit of time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.geometry import geometry
from fieldcraft.fingerprint.noise import noise
from fieldcraft.fingerprint.symmetry import symmetry
from fieldcraft.fingerprint.topology import holes, topology
from fieldcraft.records.deep_facts import DeepFacts
from fieldcraft.records.facts import Task

SYMMETRY, TOPOLOGY, NOISE, GEOMETRY, HOLES = 0.45, 0.15, 0.2, 0.1, 0.1
"""Shares of the limit; what a tabular set does not need goes to the others."""
LEAST_S = 0.02
"""Below so many seconds nothing is begun."""
T = TypeVar("T")


@dataclass
class _Left:
    """Runs measurements in turn, and keeps what was left out."""

    limit_s: float
    clock: Callable[[], float]
    began: float
    left_out: list[str]

    def take(self, name: str, share: float, measure: Callable[[float], T | None], nothing: str) -> T | None:
        """What `measure` finds in its share of the limit; None, and the reason kept, where it cannot."""
        left = self.limit_s - (self.clock() - self.began)
        mine = min(share * self.limit_s, left)
        if mine < LEAST_S:
            self.left_out.append(f"{name}: no time was left ({max(left, 0.0):.1f} of {self.limit_s:.1f} s)")
            return None
        try:
            with np.errstate(all="ignore"):
                found = measure(mine)
        except Exception as error:  # whatever it is, a fact that fails must not stop a run
            self.left_out.append(f"{name}: {' '.join(str(error).split()) or type(error).__name__}")
            return None
        if found is None:
            self.left_out.append(f"{name}: {nothing}")
        return found


def deep_facts(
    pixels: npt.NDArray[np.generic] | None,
    features: npt.NDArray[np.float32] | None,
    labels: npt.NDArray[np.generic],
    names: tuple[str, ...],
    groups: npt.NDArray[np.str_] | None,
    task: Task,
    *,
    seed: int,
    limit_s: float,
    clock: Callable[[], float] = perf_counter,
) -> DeepFacts:
    """Symmetry, topology, noise and geometry of the training part, each on a subsample that fits its share of the time.

    One of `pixels` (n, height, width, channels) and `features` (n, d), standardised, must be given. `labels`: (n,)
    classes, (n, labels) of 0 and 1, or (n, targets) numbers. A measurement that fails, finds nothing or gets no time is
    named in `left_out` with its reason; none stops the others.
    Raises: ValueError when not exactly one of `pixels` and `features` is given.
    """
    if (pixels is None) == (features is None):
        raise ValueError("exactly one of `pixels` and `features` must be given.")
    samples = pixels if pixels is not None else features
    assert samples is not None
    left = _Left(limit_s=limit_s, clock=clock, began=clock(), left_out=[])
    scale = 1.0 if pixels is not None else 1 / (TOPOLOGY + NOISE + HOLES)
    found = DeepFacts()
    if pixels is not None:
        found = replace(
            found,
            symmetry=left.take(
                "symmetry",
                SYMMETRY,
                lambda mine: symmetry(pixels, labels, groups, seed=seed, limit_s=mine, clock=clock),
                "too few samples or groups, one class, or too little time",
            ),
        )
    shape = left.take(
        "topology",
        scale * TOPOLOGY,
        lambda mine: topology(samples, labels, groups, task, seed=seed, limit_s=mine),
        "fewer than ten samples that differ",
    )
    trust = left.take(
        "noise",
        scale * NOISE,
        lambda mine: noise(samples, labels, groups, task, seed=seed, limit_s=mine),
        "fewer than a hundred samples, one class or one group",
    )
    if pixels is not None:
        found = replace(
            found,
            geometry=left.take(
                "geometry",
                GEOMETRY,
                lambda mine: geometry(pixels, labels, groups, task, seed=seed, limit_s=mine),
                "no object stands out from a plain border, and probes of the pixels do not agree where the evidence is",
            ),
        )
    if shape is not None:
        betti = left.take(
            "pieces and loops",
            scale * HOLES,
            lambda mine: holes(samples, labels, names, task, seed=seed, limit_s=mine),
            "no class has twenty samples",
        )
        shape = replace(shape, betti=betti)
        if shape.dimension is None:
            left.left_out.append("intrinsic dimension: fewer than twenty samples, or values on a grid")
    return replace(found, topology=shape, noise=trust, left_out=tuple(left.left_out))
