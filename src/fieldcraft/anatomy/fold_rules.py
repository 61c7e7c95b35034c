"""What unfolding into windows (im2col) and adding windows up again (col2im) see."""

import numpy as np
import torch
from torch.nn import functional as F

from fieldcraft.anatomy.phases import EMPTY
from fieldcraft.anatomy.scene import Here, Result, first_of
from fieldcraft.anatomy.sights import MOST_UNITS, Array, Fixed, Shape, bound, listed, tidied

FOLDS = ("im2col", "col2im")


def fold(here: Here) -> Result:
    """Numbers of the map, one for each tap and window; or at each place of the map all numbers that are added there."""
    sight, before = first_of(here)
    if sight is None or isinstance(sight, Fixed):
        return sight
    unfolds = here.event.packet == "im2col"
    size = before[-2:] if unfolds else here.after[-2:]
    places = _places(here, size)
    ends = listed(sight, before, here.pixels)
    kept = ends[0].shape[: len(before) - (2 if not unfolds else 3)]
    if np.prod(kept) * max(before[-3] if unfolds else before[-2], 1) * places.shape[1] > MOST_UNITS:
        return bound(here.pixels)
    move = _unfolded if unfolds else _folded
    low = move(ends[0], before, size, places, EMPTY)
    high = -move(-ends[1], before, size, places, EMPTY)
    return tidied(low, high, here.pixels, exact=sight.exact, aligned=sight.aligned)


def _places(here: Here, size: Shape) -> Array:
    """(taps, windows): places of the flattened map, counted from 1; 0 is padding."""
    given = here.given
    numbers = torch.arange(1, size[0] * size[1] + 1, dtype=torch.float64).reshape(1, 1, *size)
    places = F.unfold(numbers, given["kernel_size"], given["dilation"], given["padding"], given["stride"])
    found: Array = places[0].long().numpy()
    return found


def _unfolded(ends: Array, before: Shape, size: Shape, places: Array, empty: int) -> Array:
    channels = before[-3]
    full = np.broadcast_to(ends, (*ends.shape[:-3], channels, *size)).reshape(*ends.shape[:-3], channels, -1)
    padded = np.concatenate([np.full((*full.shape[:-1], 1), empty), full], axis=-1)
    return padded[..., places].reshape(*ends.shape[:-3], channels * len(places), -1)


def _folded(ends: Array, before: Shape, size: Shape, places: Array, empty: int) -> Array:
    """The least of the ends that meet at a place."""
    taps, windows = places.shape
    front = ends.shape[:-2]
    full = np.broadcast_to(ends, (*front, before[-2], windows)).reshape(*front, -1, taps * windows)
    rows = full.reshape(-1, taps * windows)
    found = np.full((size[0] * size[1] + 1, len(rows)), empty)
    np.minimum.at(found, places.reshape(-1), rows.T)
    return found[1:].T.reshape(*full.shape[:-1], *size)
