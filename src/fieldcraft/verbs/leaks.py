"""Leaks of a run: columns, or blocks of an image, that predict the target best by themselves."""

import numpy as np

from fieldcraft.fingerprint.leak import leaks
from fieldcraft.fingerprint.shrink import shrunk
from fieldcraft.records.training import Leak
from fieldcraft.verbs.samples import Samples

MOST_ROWS = 4_000
"""Training and validation samples, each, that are enough to see a leak."""
MOST_MARKS = 200_000
"""Samples times classes, at most."""
BLOCKS = 12
"""Blocks along the longer side of an image: a marker fills one of them."""


def best_columns(samples: Samples, *, limit_s: float) -> tuple[Leak, ...]:
    """The best first; empty for several targets a sample, and when no column could be looked at in time."""
    values = samples.dataset.targets.values
    parts = samples.parts
    if (values.ndim > 1 and values.shape[1] > 1) or not len(parts.validation):
        return ()
    classes = samples.outputs if samples.dataset.targets.task == "single-label" else 1
    most = max(1, min(MOST_ROWS, MOST_MARKS // classes))
    rows, others = (some[:: -(-len(some) // most)] for some in (parts.train, parts.validation))
    target, truth = (values[some].reshape(len(some)) for some in (rows, others))
    if samples.encoder is not None:
        return leaks(
            samples.flat(rows), target, samples.flat(others), truth, tuple(samples.encoder.sources), limit_s=limit_s
        )
    assert samples.pixels is not None
    known, asked = (shrunk(samples.pixels, some, BLOCKS).mean(axis=3).astype(np.float32) for some in (rows, others))
    height, width = known.shape[1:]
    names = tuple(f"block {y + 1}, {x + 1} of {height} x {width} of the image" for y, x in np.ndindex(height, width))
    return leaks(known.reshape(len(rows), -1), target, asked.reshape(len(others), -1), truth, names, limit_s=limit_s)
