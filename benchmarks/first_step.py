"""From typing `fieldcraft fit mnist --budget 180s` to the first training steps of a network; then it is stopped.

`begun`: the first rung's log was opened, just before its first step. `ten_steps`: the first line of it, ten steps on.
Usage: python benchmarks/first_step.py [N]
"""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fits  # noqa: F401  (says where the data is)
from result import summary, write


def once() -> tuple[float, float]:
    """Seconds to the opened log, and to its first line."""
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "run" / "metrics.jsonl"
        command = [sys.executable, "-m", "fieldcraft", "fit", "mnist", "--budget", "180s", "--out", str(log.parent)]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not log.exists():
            time.sleep(0.02)
        begun = time.perf_counter() - began
        while not log.stat().st_size:
            time.sleep(0.02)
        ten = time.perf_counter() - began
        process.send_signal(signal.SIGTERM)
        process.wait()
        return begun, ten


def main(n: int = 3) -> None:
    """Measure n times."""
    found = [once() for _ in range(n)]
    write(
        "first_step",
        "seconds from the command to a network's first steps on MNIST; facts, measurements and baselines come before",
        {"begun_s": summary([a for a, _ in found]), "ten_steps_s": summary([b for _, b in found])},
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
