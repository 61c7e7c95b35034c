"""Whole batches of images at a smaller size, for steps that need no more."""

import torch
import torch.nn.functional as F
from torch import Tensor

from fieldcraft.data.pixel_store import as_float


def smaller(taken: Tensor, side: int) -> Tensor:
    """Images brought to `side` pixels on the shorter side, bilinear over all pixels that fall into one (antialiased).

    Shape: (n, h, w, c), stored or float32 -> (n, h', w', c), bytes where they were bytes on the CPU, else float32.
    Larger sizes than they have leave them alone. Measured on one core at 32 to 24 px: 2 us an image from bytes, 20 from
    floats.
    """
    height, width = taken.shape[1:3]
    if side >= min(height, width):
        return taken
    to = (max(1, round(height * side / min(height, width))), max(1, round(width * side / min(height, width))))
    quick = taken.dtype == torch.uint8 and taken.device.type == "cpu"
    planes = (taken if quick else as_float(taken)).permute(0, 3, 1, 2)
    return F.interpolate(planes, size=to, mode="bilinear", antialias=True).permute(0, 2, 3, 1)
