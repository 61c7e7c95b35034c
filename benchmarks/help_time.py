"""How long `fieldcraft --help` and `fieldcraft plan --help` take, from a new process to its end. Target: under 0.5 s.

Each call is timed beside an empty Python (`python -c pass`), in turn, so that a busy machine shows in both.
Run: python benchmarks/help_time.py [n]
"""

import subprocess
import sys
import time

from result import summary, write

CALLS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "fieldcraft --help": [sys.executable, "-m", "fieldcraft", "--help"],
    "fieldcraft plan --help": [sys.executable, "-m", "fieldcraft", "plan", "--help"],
}
TARGET_S = 0.5


def seconds(call: list[str]) -> float:
    """Wall clock of one call."""
    began = time.perf_counter()
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Warm the disk's cache once, then measure in turn."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    for call in CALLS.values():
        seconds(call)
    taken: dict[str, list[float]] = {name: [] for name in CALLS}
    for _ in range(n):
        for name, call in CALLS.items():
            taken[name].append(seconds(call))
    measured = {name: summary([round(value, 4) for value in values]) for name, values in taken.items()}
    slow = [name for name, values in taken.items() if sorted(values)[n // 2] >= TARGET_S]
    write(
        "help_time",
        "Seconds from starting the process to its end, standard output thrown away",
        {"target_s": TARGET_S, "reached": not slow, "seconds": measured},
    )
    if slow:
        sys.exit(f"slower than {TARGET_S} s: {', '.join(slow)}")


if __name__ == "__main__":
    main()
