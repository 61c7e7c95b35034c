"""Cases as patches are cut from them: arrays in memory or mapped from files, and where each class is found."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.data.intensities import Scaling
from fieldcraft.records.streams import stream_seed

Places = npt.NDArray[np.int64]
"""Positions in a flattened mask, int64 (n,)."""
KEPT = 10_000
"""Voxels of a class that are remembered a case: more than a training looks at, and 80 kB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """One case at the spacing that the network sees."""

    name: str
    image: npt.NDArray[np.generic]
    """(channels, *spatial) as stored; a mapped file is read only where patches are cut."""
    mask: npt.NDArray[np.generic]
    """(*spatial) whole class ids, -1: void."""
    places: Mapping[int, Places]
    """Of each class that occurs, some of its voxels, drawn evenly; the void is no class."""
    scaling: Scaling
    """From stored intensities to those that the network sees."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return self.mask.shape

    @classmethod
    def of(
        cls,
        name: str,
        image: npt.NDArray[np.generic],
        mask: npt.NDArray[np.generic],
        scaling: Scaling | None = None,
    ) -> "Volume":
        """Look where the classes are, and keep both arrays as they are. Without `scaling` intensities stay.

        Raises: ValueError when shapes do not fit, or class ids are no whole numbers.
        """
        if not 1 <= mask.ndim <= 3 or image.shape[1:] != mask.shape or image.ndim != mask.ndim + 1 or not image.size:
            raise ValueError(
                f"{name}: an image must be (channels, *spatial) and its mask (*spatial) with 1 to 3 axes, none of them "
                f"empty, but got {image.shape} and {mask.shape}."
            )
        if mask.dtype.kind not in "iu":
            raise ValueError(f"{name}: class ids must be whole numbers, but the mask is {mask.dtype}.")
        scaling = Scaling.none(len(image)) if scaling is None else scaling
        return cls(name=name, image=image, mask=mask, places=places_of(name, mask), scaling=scaling)


def places_of(name: str, mask: npt.NDArray[np.generic], most: int = KEPT) -> dict[int, Places]:
    """Of each class in a mask up to `most` of its voxels, sorted; drawn by the stream (0, "places", name, class)."""
    flat = np.asarray(mask).reshape(-1)
    found = {}
    for label in np.unique(flat).tolist():
        if label < 0:
            continue
        places = np.flatnonzero(flat == label)
        if len(places) > most:
            random = np.random.default_rng(stream_seed(0, "places", name, label))
            places = np.sort(random.choice(places, most, replace=False, shuffle=False))
        found[int(label)] = places
    return found
