"""Facts of the machine: cores, memory, instruction sets, GPU; as this process may use them."""

import os
import platform
from pathlib import Path

import psutil

from fieldcraft.records.facts import MachineFacts

MIB = 2**20
INTERESTING = (
    "avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8", "asimd", "bf16", "i8mm", "sve",
)  # fmt: skip
BF16_UNITS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
TUNED = "FIELDCRAFT_TUNED_START"


def machine_facts(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> MachineFacts:
    """What this process may use; limits of containers count."""
    processor, flags = _processor(proc / "cpuinfo")
    memory = psutil.virtual_memory()
    limit = _limit(cgroup / "memory.max")
    used = _limit(cgroup / "memory.current") or 0
    total = min(memory.total, limit or memory.total)
    free = min(memory.available, limit - used if limit else memory.available)
    gpu, gpu_memory, gpu_bf16 = _gpu()
    return MachineFacts(
        processor=processor,
        cores=_cores(cgroup / "cpu.max"),
        memory_mib=total // MIB,
        free_mib=max(0, free) // MIB,
        instruction_sets=tuple(name for name in INTERESTING if name in flags),
        bf16=gpu_bf16 if gpu else bool(BF16_UNITS & flags),
        gpu=gpu,
        gpu_memory_mib=gpu_memory,
        tuned_start=os.environ.get(TUNED) == "1",
    )


def _processor(cpuinfo: Path) -> tuple[str, frozenset[str]]:
    name, flags = platform.processor() or platform.machine(), frozenset[str]()
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return name, flags
    for line in lines:
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "model name":
            name = value
        elif key in ("flags", "Features"):
            flags = frozenset(value.split())
    return name, flags


def _cores(cpu_max: Path) -> int:
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return None if text == "max" else int(text)


def _gpu() -> tuple[str | None, int, bool]:
    import torch

    if not torch.cuda.is_available():
        return None, 0, False
    properties = torch.cuda.get_device_properties(0)
    return properties.name, properties.total_memory // MIB, torch.cuda.is_bf16_supported()
