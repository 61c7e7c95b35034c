"""Training steps of one convolution of maps: ours against PyTorch's, in turn; paired ratios.

In bf16 where there are matrix tiles (small maps), else in single precision (many channels, AVX2).
Usage: python benchmarks/map_conv.py
"""

import time

import torch
from torch import nn

from fieldcraft.nn.blocks.map_conv import Conv2d
from result import against_torch, write

ROUNDS, STEPS = 10, 5
TILES = (
    (64, 64, 8, 1, 128), (64, 128, 8, 2, 128), (128, 128, 8, 1, 128), (128, 128, 4, 1, 128), (128, 256, 8, 2, 128),
    (256, 256, 4, 1, 128),
)  # fmt: skip
SINGLE = (
    (128, 256, 8, 1, 128), (256, 256, 4, 1, 128), (128, 128, 28, 1, 16), (256, 256, 16, 1, 16), (512, 512, 8, 1, 32),
)  # fmt: skip
"""Channels before and after, side of the maps, stride, batch."""


def milliseconds(conv: nn.Module, x: torch.Tensor, *, half: bool) -> float:
    """A step forward and back, the mean of STEPS."""
    began = time.perf_counter()
    for _ in range(STEPS):
        conv.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = conv(x)
        out.backward(out.detach())
    return 1000 * (time.perf_counter() - began) / STEPS


def main() -> None:
    half = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    measured: dict[str, object] = {"amx_bf16": half, "pytorch_keeps_to": torch.backends.cpu.get_cpu_capability()}
    for before, after, side, stride, batch in TILES if half else SINGLE:
        torch.manual_seed(0)
        ours = Conv2d(before, after, 3, stride, 1, bias=False).to(memory_format=torch.channels_last)
        theirs = nn.Conv2d(before, after, 3, stride, 1, bias=False).to(memory_format=torch.channels_last)
        theirs.load_state_dict(ours.state_dict())
        x = torch.randn(batch, before, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
        taken = [(milliseconds(ours, x, half=half), milliseconds(theirs, x, half=half)) for _ in range(ROUNDS + 2)][2:]
        name = f"{before} to {after} channels, {side} x {side} px, stride {stride}, batch {batch}"
        measured[name] = against_torch(taken, "ms")
    write(
        "map_conv" if half else "map_conv_fp32",
        f"a training step of one 3x3 convolution in {'bf16' if half else 'single precision'}, two threads",
        measured,
    )


if __name__ == "__main__":
    main()
