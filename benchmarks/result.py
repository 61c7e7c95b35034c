"""What every benchmark writes: machine, versions, n, median or mean, interval; as JSON beside the scripts."""

import json
import platform
import statistics
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scipy.stats import t

RESULTS = Path(__file__).parent / "results"


def summary(values: Sequence[float]) -> dict[str, object]:
    """n, median, mean, deviation and the t interval (95 %) of the mean."""
    n = len(values)
    mean = statistics.fmean(values)
    deviation = statistics.stdev(values) if n > 1 else float("nan")
    half = t.ppf(0.975, n - 1) * deviation / n**0.5 if n > 1 else float("nan")
    return {
        "n": n,
        "median": statistics.median(values),
        "mean": mean,
        "deviation": None if n < 2 else deviation,
        "mean_95": None if n < 2 else [mean - half, mean + half],
        "values": list(values),
    }


def against_torch(pairs: Sequence[tuple[float, float]], unit: str) -> dict[str, object]:
    """Of the times that ours and PyTorch's took in turn: both sides, and how many times as fast ours is, paired."""
    return {
        f"ours_{unit}": summary([ours for ours, _ in pairs]),
        f"torch_{unit}": summary([theirs for _, theirs in pairs]),
        "times_as_fast": summary([theirs / ours for ours, theirs in pairs]),
    }


def machine() -> dict[str, object]:
    """Processor, cores, memory."""
    import psutil
    import torch

    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = lines[0] if lines else model
        flags = next((line for line in info.read_text().splitlines() if line.startswith("flags")), "")
        wanted = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags.split()]
    else:
        wanted = []
    return {
        "processor": model,
        "instruction_sets": wanted,
        "cores": len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        **({"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}),
    }


def versions() -> dict[str, str]:
    """Of Python and what matters."""
    names = ("torch", "lightning-fabric", "numpy", "scikit-learn", "pandas", "typer", "pydantic")
    return {"python": sys.version.split()[0], **{name: _version(name) for name in names}}


def _version(name: str) -> str:
    """Of a package; it may have come with another one, and then has none of its own."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def write(name: str, what: str, measured: object) -> None:
    """Write benchmarks/results/NAME.json and print it."""
    RESULTS.mkdir(exist_ok=True)
    document = {
        "what": what,
        "when": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "measured": measured,
    }
    text = json.dumps(document, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
