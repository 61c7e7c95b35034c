"""Training steps of one convolution of small maps in bf16: ours against PyTorch's, in turn; paired ratios.

Usage: python benchmarks/map_conv.py
"""

import time

import torch
from torch import nn

from fieldcraft.nn.blocks.map_conv import Conv2d
from result import against_torch, write

ROUNDS, BATCH, STEPS = 20, 128, 5
CASES = ((64, 64, 8, 1), (64, 128, 8, 2), (128, 128, 8, 1), (128, 128, 4, 1), (128, 256, 8, 2), (256, 256, 4, 1))
"""Channels before and after, side of the maps, stride."""


def milliseconds(conv: nn.Module, x: torch.Tensor) -> float:
    """A step forward and back, the mean of STEPS."""
    began = time.perf_counter()
    for _ in range(STEPS):
        conv.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            out = conv(x)
        out.backward(out.detach())
    return 1000 * (time.perf_counter() - began) / STEPS


def main() -> None:
    measured: dict[str, object] = {"amx_bf16": bool(torch.cpu.get_capabilities().get("amx_bf16"))}
    for before, after, side, stride in CASES:
        torch.manual_seed(0)
        ours = Conv2d(before, after, 3, stride, 1, bias=False).to(memory_format=torch.channels_last)
        theirs = nn.Conv2d(before, after, 3, stride, 1, bias=False).to(memory_format=torch.channels_last)
        theirs.load_state_dict(ours.state_dict())
        x = torch.randn(BATCH, before, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
        taken = [(milliseconds(ours, x), milliseconds(theirs, x)) for _ in range(ROUNDS + 2)][2:]
        measured[f"{before} to {after} channels, {side} x {side} px, stride {stride}"] = against_torch(taken, "ms")
    write("map_conv", f"a training step of one 3x3 convolution in bf16, batch {BATCH}, two threads", measured)


if __name__ == "__main__":
    main()
