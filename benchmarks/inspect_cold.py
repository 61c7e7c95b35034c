"""How long `fieldcraft inspect` of ResNet-50 takes from a new process to its table, beside a script with torchinfo.

Target: at most one second more than the script. Both are started in turn, so that a busy machine shows in both.
Run: python benchmarks/inspect_cold.py [n]
"""

import os
import subprocess
import sys
import time

from result import summary, write

SCRIPT = (
    "import torchvision, torchinfo\n"
    "print(torchinfo.summary(torchvision.models.resnet50(), (1, 3, 224, 224), verbose=0, device='cpu'))"
)
CALLS = {
    "import torchvision": [sys.executable, "-c", "import torchvision"],
    "torchinfo script": [sys.executable, "-c", SCRIPT],
    "fieldcraft inspect": [
        sys.executable, "-m", "fieldcraft", "inspect", "torchvision.models:resnet50", "--input", "3,224,224",
    ],
}  # fmt: skip
MORE_S = 1.0


def seconds(call: list[str]) -> float:
    """Wall clock of one call."""
    began = time.perf_counter()
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Warm the disk's cache once, then measure in turn."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    for call in CALLS.values():
        seconds(call)
    taken: dict[str, list[float]] = {name: [] for name in CALLS}
    load_before = os.getloadavg()[0]
    for _ in range(n):
        for name, call in CALLS.items():
            taken[name].append(seconds(call))
    more = [ours - theirs for ours, theirs in zip(taken["fieldcraft inspect"], taken["torchinfo script"], strict=True)]
    write(
        "inspect_cold",
        "Seconds from starting the process to its end, standard output thrown away; in turn",
        {
            "target_more_s": MORE_S,
            "reached": sorted(more)[n // 2] <= MORE_S,
            "load_before": round(load_before, 2),
            "more_s": summary([round(one, 4) for one in more]),
            "seconds": {name: summary([round(one, 4) for one in values]) for name, values in taken.items()},
        },
    )


if __name__ == "__main__":
    main()
