"""The caller's random numbers are none of our business: whatever a module draws is put back."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def random_as_before() -> Iterator[None]:
    """Python's, numpy's and torch's generators (of the CPU) continue afterwards as if nothing had been drawn."""
    ours, theirs = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)
