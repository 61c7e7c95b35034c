"""Asking a network about a whole case: in one piece where that is cheap, else window by window."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, prod

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fieldcraft.build.mask_network import Wants
from fieldcraft.data.intensities import Scaling
from fieldcraft.data.sent import sent
from fieldcraft.plan.masks import Masks
from fieldcraft.train.windows import Windows, predicted

WHOLE = 4.0
"""Times the voxels of a patch up to which a case is asked about in one piece: nothing is kept for a backward pass."""
Logits = npt.NDArray[np.float32]
"""(classes, *spatial)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asker:
    """A network of masks with the way in which it is asked."""

    net: nn.Module
    wants: Wants
    patch: tuple[int, ...]
    """That it was trained on."""
    masks: Masks
    device: torch.device

    def windows(self, shape: tuple[int, ...]) -> Windows:
        """How a case of this shape is covered."""
        windows = Windows(
            patch=self.wants.patch(self.patch),
            overlap=self.masks.overlap,
            blend=self.masks.blend,
            mirror=self.masks.mirror,
            context=self.wants.context,
        )
        if not self.wants.any_size or prod(shape) > WHOLE * prod(self.patch):
            return windows
        # Small cases lie in the middle of a patch, as in training; large ones are seen in one piece.
        whole = (ceil(side / step) * step for side, step in zip(shape, self.wants.multiple, strict=True))
        return replace(windows, patch=tuple(map(max, whole, windows.patch)))

    def logits(self, image: npt.NDArray[np.generic], scaling: Scaling) -> Logits:
        """Of a case on the network's grid, (channels, *spatial) in stored units -> (classes, *spatial)."""
        training = self.net.training
        self.net.eval()
        try:
            with torch.inference_mode():
                found = predicted(self._answer(), image, self.windows(image.shape[1:]), scaling=scaling)
        finally:
            self.net.train(training)
        return found.numpy()

    def _answer(self) -> Callable[[Tensor], Tensor]:
        def answer(given: Tensor) -> Tensor:
            said: Tensor = self.net(sent(given, self.device))
            return said.float()

        return answer
