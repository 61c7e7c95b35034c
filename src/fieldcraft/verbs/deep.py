"""Deep facts of the training part: what takes probes and distances to find out, within a limit of time."""

from dataclasses import replace

import numpy as np
import torch

from fieldcraft.fingerprint.deep import deep_facts
from fieldcraft.records.facts import Facts
from fieldcraft.tips.rough import DEEP
from fieldcraft.verbs.samples import Samples

DEEP_S = 20.0
"""For deep facts, where there is no budget, and at most."""
MOST = 50_000
"""Training samples that are handed over; each measurement takes a subsample of its own."""


def share_s(facts: Facts) -> float:
    """Seconds of the budget that deep facts may take."""
    budget_s = facts.budget.seconds
    return DEEP_S if budget_s is None else min(DEEP_S, DEEP[facts.data.inputs.kind] * budget_s)


def with_deep_facts(facts: Facts, samples: Samples, *, seed: int, limit_s: float) -> Facts:
    """The facts with symmetry, geometry, topology and noise of the training part, as far as `limit_s` seconds reach."""
    train = np.sort(samples.parts.train)
    rows = train[:: -(-len(train) // MOST)]
    targets, groups = samples.dataset.targets, samples.dataset.groups
    torch.set_num_threads(1)  # more threads, once made, would never flush denormals, whatever the plan says later
    found = deep_facts(
        None if samples.pixels is None else samples.pixels[rows],
        None if samples.features is None else samples.features[rows],
        targets.values[rows],
        targets.names,
        None if groups is None else groups[rows],
        targets.task,
        seed=seed,
        limit_s=limit_s,
    )
    return replace(facts, data=replace(facts.data, deep=found))
