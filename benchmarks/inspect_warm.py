"""How long fields, costs and findings of ResNet-50 take in a warm process, beside torchinfo and fvcore.

Target: at most twice the time of torchinfo's summary alone. All three run in turn in one process, with
the same network; the ratio is taken round by round. Needs the extra `zoo`.
Run: python benchmarks/inspect_warm.py [n]
"""

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable

import torch
import torchinfo
import torchvision
from fvcore.nn import FlopCountAnalysis

import fieldcraft as fc
from result import summary, write

SHAPE = (3, 224, 224)
TARGET = 2.0
WARM = 3


def main() -> None:
    """Each in turn, n times."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    warnings.simplefilter("ignore")
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    net = torchvision.models.resnet50().eval()
    image = torch.randn(1, *SHAPE)
    calls: dict[str, Callable[[], object]] = {
        "torchinfo.summary": lambda: torchinfo.summary(net, (1, *SHAPE), verbose=0, device="cpu"),
        "fvcore FlopCountAnalysis": lambda: FlopCountAnalysis(net, image).total(),
        "fieldcraft inspect": lambda: fc.inspect(net, SHAPE),
    }
    for _ in range(WARM):
        for call in calls.values():
            call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    load_before = os.getloadavg()[0]
    for _ in range(n):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            taken[name].append(1000 * (time.perf_counter() - began))
    ratio = [a / b for a, b in zip(taken["fieldcraft inspect"], taken["torchinfo.summary"], strict=True)]
    write(
        "inspect_warm",
        "Milliseconds a call on ResNet-50 at 3x224x224, in turn in one process; ratio to torchinfo by round",
        {
            "target_ratio": TARGET,
            "reached": sorted(ratio)[n // 2] <= TARGET,
            "load_before": round(load_before, 2),
            "ratio": summary([round(one, 3) for one in ratio]),
            "milliseconds": {name: summary([round(one, 2) for one in values]) for name, values in taken.items()},
        },
    )


if __name__ == "__main__":
    main()
