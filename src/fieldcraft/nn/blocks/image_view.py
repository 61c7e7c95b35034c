"""Images as pretrained weights know them, made from images as they come out of a loader."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ChannelOrder = Literal["rgb", "bgr", "gray"]
LUMINANCE = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in gray (ITU-R BT.601)."""


class ImageView(nn.Module):
    """Take one normalisation back, order the channels, resize, and normalise as the weights want it.

    Gray images are repeated over three channels; colour becomes gray by its luminance. Sizes are reached by bilinear
    interpolation, over all pixels that fall into one where images shrink; without a `size` images keep their own.

    `mean`, `std`: what the weights want, for pixels from 0 to `full_scale`, in the order of the channels that they see.
    How the images that come in were normalised is learnt from `see`, and travels with the module's state.

    Shape: (n, channels, h, w) -> (n, 3 or 1, *size).
    Raises: ValueError when images of so many channels cannot be brought to that order.
    """

    pixel_scale: Tensor
    pixel_shift: Tensor
    mean: Tensor
    std: Tensor
    luminance: Tensor

    def __init__(
        self, channels: int, size: tuple[int, int] | None, *, order: ChannelOrder, mean: Sequence[float],
        std: Sequence[float], full_scale: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__()
        wanted = 1 if order == "gray" else 3
        if channels not in (1, 3):
            raise ValueError(f"images of {channels} channels cannot be shown to weights that know {order} images.")
        if len(mean) != wanted or len(std) != wanted or not all(one > 0 for one in std):
            raise ValueError(f"{order} needs {wanted} mean(s) and std(s) above 0, but got {mean=} and {std=}.")
        self.channels, self.size, self.order, self.full_scale = channels, size, order, full_scale
        self.register_buffer("pixel_scale", torch.ones(channels, 1, 1))
        self.register_buffer("pixel_shift", torch.zeros(channels, 1, 1))
        self.register_buffer("mean", torch.tensor([float(one) for one in mean])[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor([float(one) for one in std])[:, None, None], persistent=False)
        self.register_buffer("luminance", torch.tensor(LUMINANCE)[:, None, None], persistent=False)

    def see(self, mean: Sequence[float], std: Sequence[float], full_scale: float) -> None:
        """Learn that images come in as (pixel - mean) / std, of pixels from 0 to `full_scale`, one value a channel."""
        share = self.full_scale / full_scale
        self.pixel_scale.copy_(share * torch.tensor([float(one) for one in std])[:, None, None])
        self.pixel_shift.copy_(share * torch.tensor([float(one) for one in mean])[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w)."""
        pixels = x * self.pixel_scale + self.pixel_shift
        if self.order == "gray" and self.channels == 3:
            pixels = (pixels * self.luminance).sum(1, keepdim=True)
        elif self.order != "gray" and self.channels == 1:
            pixels = pixels.expand(-1, 3, -1, -1)
        elif self.order == "bgr":
            pixels = pixels.flip(1)
        if self.size is not None and pixels.shape[2:] != self.size:
            height, width = self.size
            shrinks = pixels.shape[2] > height or pixels.shape[3] > width
            pixels = F.interpolate(pixels, size=self.size, mode="bilinear", antialias=shrinks)
        return (pixels - self.mean) / self.std
