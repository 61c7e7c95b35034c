"""Facts of the machine: cores, memory, instruction sets, GPU; on Linux, macOS and Windows."""

import os
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import psutil

from fieldcraft.fingerprint.cgroup import MIB, limits
from fieldcraft.records.facts import MachineFacts

TUNED_START = "FIELDCRAFT_TUNED_START"
"""The environment variable that is "1" in a process that was restarted with the allocator's settings."""
WORTH_NAMING = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "sve",
    "bf16",
    "svebf16",
    "i8mm",
)
BF16 = frozenset({"avx512_bf16", "amx_bf16", "bf16", "svebf16"})


@dataclass(frozen=True)
class Gpu:
    """The first GPU."""

    name: str
    memory_mib: int
    bf16: bool


def machine_facts() -> MachineFacts:
    """What this process may use: its affinity, its control groups, its devices."""
    processor, flags = processor_facts()
    allowed = limits()
    memory = psutil.virtual_memory()
    total, free = memory.total // MIB, memory.available // MIB
    if allowed.memory_mib is not None and allowed.free_mib is not None:
        total, free = min(total, allowed.memory_mib), min(free, allowed.free_mib)
    gpu = first_gpu()
    return MachineFacts(
        processor=processor,
        cores=usable_cores(allowed.cores),
        memory_mib=total,
        free_mib=free,
        instruction_sets=flags,
        bf16=gpu.bf16 if gpu else bool(BF16 & set(flags)),
        gpu=gpu.name if gpu else None,
        gpu_memory_mib=gpu.memory_mib if gpu else 0,
        tuned_start=os.environ.get(TUNED_START) == "1",
        compiler=compiler() if gpu is None or find_spec("triton") else None,
    )


def compiler(system: str | None = None) -> str | None:
    """The C++ compiler that torch.compile calls (CXX, or the system's usual one); None when it is not there."""
    usual = {"Darwin": "clang++", "Windows": "cl"}.get(system or platform.system(), "g++")
    name = os.environ.get("CXX") or usual
    return name if which(name) else None


def usable_cores(quota: float | None) -> int:
    """Cores of this process's affinity, or fewer where a quota of processor time is set; at least one."""
    # sched_getaffinity exists on Linux alone.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores if quota is None else min(cores, int(quota)))


def processor_facts(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, tuple[str, ...]]:
    """The processor's name, and those of its instruction sets that matter here."""
    lines: dict[str, str] = {}
    with suppress(OSError):
        for line in cpuinfo.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            lines.setdefault(key.strip(), value.strip())
    name = lines.get("model name") or _mac("machdep.cpu.brand_string") or platform.processor() or platform.machine()
    found = set(f"{lines.get('flags', '')} {lines.get('Features', '')}".split())
    found |= {flag for flag, key in MAC_FLAGS.items() if _mac(key) == "1"}
    return name or "unknown", tuple(flag for flag in WORTH_NAMING if flag in found)


MAC_FLAGS = {
    "avx2": "hw.optional.avx2_0",
    "avx512f": "hw.optional.avx512f",
    "asimd": "hw.optional.neon",
    "bf16": "hw.optional.arm.FEAT_BF16",
    "i8mm": "hw.optional.arm.FEAT_I8MM",
}


def _mac(key: str) -> str:
    """A value of macOS's sysctl; "" elsewhere, or when there is none."""
    if platform.system() != "Darwin":
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(["sysctl", "-n", key], capture_output=True, text=True, timeout=5, check=False)
        return done.stdout.strip()
    return ""


def first_gpu() -> Gpu | None:
    """The first CUDA device that torch can use."""
    import torch

    if not torch.cuda.is_available():
        return None
    properties = torch.cuda.get_device_properties(0)
    return Gpu(
        name=properties.name,
        memory_mib=properties.total_memory // MIB,
        bf16=torch.cuda.is_bf16_supported(including_emulation=False),
    )
