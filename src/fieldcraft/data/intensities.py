"""Intensities of images of any number of axes, clipped and brought to mean 0 and deviation 1, channel by channel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.records.streams import stream_seed

Image = npt.NDArray[np.generic]
"""(channels, *spatial)."""
LOW, HIGH = 0.5, 99.5
"""Percentiles outside of which voxels are taken for artefacts."""
LOOKED_AT = 1_000_000
"""Voxels of a channel that are looked at; percentiles of larger images come from a draw of as many."""


@dataclass(frozen=True)
class Scaling:
    """(clipped to [low, high] - mean) / std, one of each a channel, in stored units.

    From the facts of a data set where intensities mean the same in every case (CT, photographs), or from `of_case`
    where they do not (MR).
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """0 counts as 1: a channel of one value becomes 0."""

    def __post_init__(self) -> None:
        if len({len(self.low), len(self.high), len(self.mean), len(self.std)}) != 1:
            raise ValueError("`low`, `high`, `mean` and `std` must have one number a channel, all as many.")
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError(f"`low <= high` must hold in every channel, but got {self.low} and {self.high}.")

    @classmethod
    def none(cls, channels: int) -> "Scaling":
        """Leave intensities as they are."""
        return cls((-np.inf,) * channels, (np.inf,) * channels, (0.0,) * channels, (1.0,) * channels)

    @classmethod
    def of_case(cls, image: Image, *, low: float = LOW, high: float = HIGH, zeros: bool = True) -> "Scaling":
        """Of one image: clip at two of its percentiles, then mean and deviation of what is left.

        Shape: (channels, *spatial). `zeros`: whether voxels of exactly 0 count; leave them out where the surroundings
        were masked away (skull-stripped brains), unless a channel has no others. Values that are no finite numbers
        never count. Raises: ValueError when a channel has no finite number.
        """
        found = [_looked_at(channel, zeros) for channel in image]
        lows, highs, means, stds = zip(*(_spread(one, low, high) for one in found), strict=True)
        return cls(lows, highs, means, stds)

    @property
    def nothing(self) -> bool:
        """Whether it leaves every finite number alone."""
        return self == Scaling.none(len(self.mean))

    def __call__(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(channels, *spatial), changed in place and given back."""
        if self.nothing:
            return image
        low, high, mean, std = (self._along(one, image.ndim) for one in (self.low, self.high, self.mean, self.std))
        np.clip(image, low, high, out=image)
        image -= mean
        image /= np.where(std == 0, np.float32(1), std)
        return image

    def zero(self, axes: int) -> npt.NDArray[np.float32]:
        """What becomes 0, as an array that broadcasts to (channels, ...) of so many axes."""
        return self._along(self.mean, axes)

    def _along(self, values: Sequence[float], axes: int) -> npt.NDArray[np.float32]:
        return np.array(values, np.float32).reshape(-1, *(1,) * (axes - 1))


def _looked_at(channel: Image, zeros: bool) -> npt.NDArray[np.float64]:
    flat = channel.reshape(-1)
    if len(flat) > LOOKED_AT:
        random = np.random.default_rng(stream_seed(0, "intensities", str(len(flat))))
        flat = flat[np.sort(random.integers(0, len(flat), LOOKED_AT))]
    values = flat.astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        raise ValueError("a channel of the image has no finite number.")
    others = values[values != 0] if not zeros else values
    return others if len(others) else values


def _spread(values: npt.NDArray[np.float64], low: float, high: float) -> tuple[float, float, float, float]:
    least, most = (float(one) for one in np.percentile(values, [low, high]))
    clipped = values.clip(least, most)
    return least, most, float(clipped.mean()), float(clipped.std())
