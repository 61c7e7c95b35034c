"""Predictions of one volume by a U-Net: our convolution against PyTorch's, in turn; paired ratios.

Usage: python benchmarks/volume_conv.py
"""

import time

import torch
from torch import nn

from fieldcraft.nn.blocks.volume_conv import Conv3d
from fieldcraft.nn.networks.unet import UNet
from result import against_torch, write

ROUNDS = 20
SIZE = (35, 50, 35)


def theirs(net: nn.Module) -> nn.Module:
    """The same net with PyTorch's convolutions, in place."""
    for part in net.modules():
        if isinstance(part, Conv3d):
            part.__class__ = nn.Conv3d
    return net


def seconds(net: nn.Module, x: torch.Tensor) -> float:
    began = time.perf_counter()
    net(x)
    return time.perf_counter() - began


def in_turn(ours: nn.Module, other: nn.Module, x: torch.Tensor, *, swapped: bool) -> tuple[float, float]:
    """Seconds of both, the other one first every second time."""
    if not swapped:
        return seconds(ours, x), seconds(other, x)
    theirs_s = seconds(other, x)
    return seconds(ours, x), theirs_s


@torch.inference_mode()
def main() -> None:
    x = torch.randn(1, 1, *SIZE)
    measured: dict[str, object] = {}
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        for base in (8, 16):
            widths = [base * 2**level for level in range(4)]
            torch.manual_seed(0)
            ours = UNet(1, 3, spatial=3, widths=widths).eval()
            other = UNet(1, 3, spatial=3, widths=widths).eval()
            other.load_state_dict(ours.state_dict())
            torch.testing.assert_close(ours(x), theirs(other)(x), atol=1e-3, rtol=1e-3)
            taken = [in_turn(ours, other, x, swapped=bool(turn % 2)) for turn in range(ROUNDS)]
            name = f"{base} wide, {threads} thread{'s' if threads > 1 else ''}"
            measured[name] = against_torch(taken, "s")
    write("volume_conv", f"a U-Net of four levels on one volume of {'x'.join(map(str, SIZE))}, prediction", measured)


if __name__ == "__main__":
    main()
