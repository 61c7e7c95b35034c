"""Instance norm that leaves maps in the memory layout in which they come."""

import torch
from torch import Tensor, nn
from torch.nn import functional

MOST_SAMPLES = 16
"""From more samples on, one call for each of them costs more than the copies of the usual way."""
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


class _LayoutKept:
    """Torch's own brings channels-last maps into the other layout, and the next convolution brings them back."""

    weight: nn.Parameter
    bias: nn.Parameter
    eps: float

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, *size) -> same: each channel of each sample with mean 0 and deviation 1, scaled and shifted.

        Raises: ValueError when a map is a single position.
        """
        if not _is_channels_last(x) or len(x) > MOST_SAMPLES or x.is_cuda:
            return functional.instance_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)
        each = [
            functional.batch_norm(one, None, None, self.weight, self.bias, True, 0.0, self.eps)
            # Gradients of a split come back channels last; those of slices do not, and slow the convolution before.
            for one in torch.split(x, 1)
        ]
        return torch.cat(each) if len(each) > 1 else each[0]


class InstanceNorm2d(_LayoutKept, nn.InstanceNorm2d):
    """Of pictures. Source: Ulyanov et al. 2016, arXiv:1607.08022."""


class InstanceNorm3d(_LayoutKept, nn.InstanceNorm3d):
    """Of volumes. Source: Ulyanov et al. 2016, arXiv:1607.08022."""


def _is_channels_last(x: Tensor) -> bool:
    layout = LAYOUTS.get(x.ndim)
    return layout is not None and x.is_contiguous(memory_format=layout) and not x.is_contiguous()
