"""Where pixels live while a network trains: in memory, in a file that is larger than memory, or on the device."""

import mmap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fieldcraft.data.sent import sent

SHARE_OF_DEVICE = 0.5
"""Of the device's free memory, what pixels may take."""


@dataclass(frozen=True)
class Normaliser:
    """Stored pixels to (x - mean) / std per channel, laid out for one pass over memory.

    `scale` and `shift` are float32 (h * w * c,), the channels' values repeated at every position.
    """

    scale: Tensor
    shift: Tensor
    channels_last: bool
    shape: tuple[int, int, int]
    """(h, w, c)."""
    _others: dict[tuple[int, int], "Normaliser"] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        mean: Sequence[float],
        std: Sequence[float],
        shape: tuple[int, int, int],
        *,
        device: torch.device,
        channels_last: bool,
    ) -> "Normaliser":
        """For images of `shape` (h, w, c); mean and std one a channel, in stored units; a std of 0 counts as 1.

        Raises: ValueError when their numbers differ from the channels.
        """
        height, width, channels = shape
        if len(mean) != channels or len(std) != channels:
            raise ValueError(f"mean and std must have {channels} values, but got {len(mean)} and {len(std)}.")
        deviation = torch.tensor([float(s) or 1.0 for s in std], dtype=torch.float64)
        middle = torch.tensor([float(m) for m in mean], dtype=torch.float64)
        repeat = height * width
        scale = (1 / deviation).float().repeat(repeat).to(device)
        return cls(scale, (-middle / deviation).float().repeat(repeat).to(device), channels_last, shape)

    @property
    def deviation(self) -> Tensor:
        """Mean deviation of the channels in stored units, ()."""
        return (1 / self.scale[: self.shape[2]]).mean()

    def fitting(self, height: int, width: int) -> "Normaliser":
        """The same for images of another size; made once."""
        if (height, width) == self.shape[:2]:
            return self
        if (height, width) not in self._others:
            channels = self.shape[2]
            scale, shift = (one[:channels].repeat(height * width) for one in (self.scale, self.shift))
            self._others[height, width] = Normaliser(scale, shift, self.channels_last, (height, width, channels))
        return self._others[height, width]

    def __call__(self, taken: Tensor) -> Tensor:
        """(n, h, w, c), stored or already float32 -> float32 (n, c, h, w), channels-last in memory where asked for."""
        count, height, width, channels = taken.shape
        flat = as_float(taken.reshape(count, height * width * channels))
        images = flat.mul_(self.scale).add_(self.shift).view(count, height, width, channels).permute(0, 3, 1, 2)
        return images.contiguous(memory_format=torch.channels_last if self.channels_last else torch.contiguous_format)


def as_float(stored: Tensor) -> Tensor:
    """Stored pixels as float32; 16-bit ones are kept as int16 because torch gathers no uint16."""
    if stored.dtype == torch.int16:
        return stored.view(torch.uint16).float()
    return stored.float()


@dataclass(frozen=True, eq=False)
class PixelStore:
    """Images (m, h, w, c) as bytes, 16-bit numbers or floats, on the device where they fit, else on the host.

    A memory-mapped array is never read as a whole on the host: rows are taken from the file as they are needed.
    """

    stored: Tensor
    device: torch.device
    """Where batches are wanted."""
    mapping: mmap.mmap | None = None

    @classmethod
    def of(cls, pixels: npt.NDArray[np.generic], device: torch.device) -> "PixelStore":
        """Keep `pixels`, (m, h, w, c) of uint8, uint16 or float32.

        Raises: ValueError for other types and shapes.
        """
        if pixels.ndim != 4 or pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise ValueError(
                f"pixels must be (samples, height, width, channels) of uint8, uint16 or float32, but got "
                f"{pixels.dtype} {pixels.shape}."
            )
        plain = np.ascontiguousarray(pixels.view(np.int16) if pixels.dtype == np.uint16 else pixels)
        with warnings.catch_warnings():
            # Nothing here writes to pixels, so that files mapped for reading are welcome.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            stored = torch.from_numpy(plain)
        if device.type == "cuda" and plain.nbytes <= SHARE_OF_DEVICE * torch.cuda.mem_get_info(device)[0]:
            there = stored.to(device)
            return cls(there, there.device)
        mapping = mapping_of(plain)
        if mapping is not None and hasattr(mapping, "madvise"):
            mapping.madvise(mmap.MADV_RANDOM)
        return cls(stored, device, mapping)

    def rows(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """A tensor on the device and the indices into it that give these rows: the store itself, or a copy of them."""
        indices = torch.from_numpy(rows)
        if self.stored.device == self.device or self.device.type == "cpu":
            if self.mapping is not None:
                return self._read(indices), torch.arange(len(rows))
            return self.stored, sent(indices, self.device)
        taken = self._read(indices) if self.mapping is not None else self.stored.index_select(0, indices)
        return sent(taken, self.device), torch.arange(len(rows), device=self.device)

    def _read(self, indices: Tensor) -> Tensor:
        """Copy rows out of the file and let go of its pages: what Linux maps around a touched one can be megabytes."""
        taken = self.stored.index_select(0, indices)
        if self.mapping is not None and hasattr(self.mapping, "madvise"):
            self.mapping.madvise(mmap.MADV_DONTNEED)
        return taken


def mapping_of(array: npt.NDArray[np.generic]) -> mmap.mmap | None:
    """The memory map that an array looks into, or None. A map opened for copy-on-write is left alone."""
    base: object = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.mode not in ("r", "r+"):
            return None
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
