"""Tensors sent to a device without waiting for what it is doing."""

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device | None) -> Tensor:
    """A tensor on a device, as `tensor.to(device)`.

    A GPU takes it from memory that cannot be paged out, whenever it is done with what it was asked for before, so that
    the next step is prepared meanwhile; a plain copy waits for all of that. On other devices there is no difference.
    """
    if device is None or device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
