"""Convolution of volumes that is fast for single ones, too."""

import torch
from torch import Tensor, nn


class Conv3d(nn.Conv3d):
    """`torch.nn.Conv3d`; predictions of one volume in single precision on a CPU go through oneDNN.

    PyTorch takes its own kernels for a batch of one where channels x depth x height are 20,480 or fewer, which look at
    two axes of the three: a U-Net took four times as long on a hippocampus (benchmarks/volume_conv.py). Training, other
    devices and precisions, tracing, compilation and export are as they are there. Arguments and shapes are those of
    `torch.nn.Conv3d`.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        found: Tensor
        if self.padding_mode != "zeros" or isinstance(self.padding, str) or not _alone(input):
            found = super()._conv_forward(input, weight, bias)
        else:
            found = torch.mkldnn_convolution(input, weight, bias, self.padding, self.stride, self.dilation, self.groups)
        return found


def _alone(x: Tensor) -> bool:
    """Whether a plain tensor of one volume passes where PyTorch would not take oneDNN by itself."""
    return (
        not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        and type(x) is Tensor
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.ndim == 5
        and len(x) == 1
        and not torch.is_grad_enabled()
        and not torch._C._are_functorch_transforms_active()
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    )
