"""Limits that a container or a service manager sets: Linux control groups, version 1 and 2."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What the groups of this process allow; None where nothing is limited."""

    memory_mib: int | None = None
    free_mib: int | None = None
    cores: float | None = None
    """Processor time per time: 1.5 is one and a half cores."""


def limits(proc: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> Limits:
    """The tightest limits of the process's groups and of all groups above them."""
    memory: list[int] = []
    free: list[int] = []
    cores: list[float] = []
    for folder in _groups(proc, mount):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if limit is not None:
            used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
            memory.append(limit // MIB)
            free.append(max(0, limit - used + _reclaimable(folder)) // MIB)
        cores += _quota(folder)
    return Limits(min(memory, default=None), min(free, default=None), min(cores, default=None))


def _groups(proc: Path, mount: Path) -> Iterator[Path]:
    """Folders of the process's groups, and of the groups that hold them, that exist here."""
    with suppress(OSError):
        for line in proc.read_text().splitlines():
            number, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            top = mount if number == "0" else mount / controllers.removeprefix("name=")
            group = top / path.strip("/")
            while group != top.parent:
                if group.is_dir():
                    yield group
                group = group.parent


def _quota(folder: Path) -> list[float]:
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text().split()
        return [] if quota == "max" else [int(quota) / int(period)]
    quota_us, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return [quota_us / period_us] if quota_us and period_us and quota_us > 0 else []


def _reclaimable(folder: Path) -> int:
    """Bytes of file cache that count as used but are given back when memory is needed."""
    with suppress(OSError, ValueError):
        pairs = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return int(pairs.get("inactive_file", 0))
    return 0


def _number(path: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return None
