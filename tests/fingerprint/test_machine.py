import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from fieldcraft.fingerprint import machine
from fieldcraft.fingerprint.cgroup import MIB, Limits, limits
from fieldcraft.fingerprint.machine import Gpu, first_gpu, machine_facts, processor_facts, usable_cores


def test_this_machine() -> None:
    facts = machine_facts()
    assert 1 <= facts.cores <= (os.cpu_count() or 1)
    assert 0 < facts.free_mib <= facts.memory_mib <= psutil.virtual_memory().total // MIB
    assert facts.processor
    assert (facts.gpu is None) == (facts.gpu_memory_mib == 0)


@pytest.mark.parametrize(("value", "tuned"), [("1", True), ("0", False), (None, False)])
def test_a_tuned_start_is_told_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, tuned: bool
) -> None:
    monkeypatch.delenv("FIELDCRAFT_TUNED_START", raising=False)
    if value is not None:
        monkeypatch.setenv("FIELDCRAFT_TUNED_START", value)
    assert machine_facts().tuned_start is tuned


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is Linux's")
def test_cores_follow_the_affinity() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from fieldcraft.fingerprint.machine import usable_cores; print(usable_cores(None))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_cores_follow_the_quota() -> None:
    assert usable_cores(0.5) == 1
    assert usable_cores(1.9) == 1
    assert usable_cores(10_000) == usable_cores(None)


@pytest.mark.parametrize(
    ("text", "name", "flags"),
    [
        (
            "processor: 0\nmodel name\t: Xeon\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_int8 zzz\n",
            "Xeon",
            ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_int8"),
        ),
        ("processor: 0\nFeatures\t: fp asimd bf16 i8mm\n", None, ("asimd", "bf16", "i8mm")),
        ("processor: 0\nmodel name: Old\nflags: fpu sse2\n\nmodel name: Second\nflags: avx2\n", "Old", ()),
    ],
)
def test_processors(tmp_path: Path, text: str, name: str | None, flags: tuple[str, ...]) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    found = processor_facts(tmp_path / "cpuinfo")
    assert found[1] == flags
    assert found[0] == name if name else found[0]


@pytest.mark.parametrize(("flag", "bf16"), [("avx512_bf16", True), ("bf16", True), ("avx512f", False)])
def test_bf16_units(monkeypatch: pytest.MonkeyPatch, flag: str, bf16: bool) -> None:
    monkeypatch.setattr(machine, "processor_facts", lambda: ("made-up", (flag,)))
    monkeypatch.setattr(machine, "first_gpu", lambda: None)
    assert machine_facts().bf16 is bf16


def test_a_gpu_decides_about_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "processor_facts", lambda: ("made-up", ("avx512_bf16",)))
    monkeypatch.setattr(machine, "first_gpu", lambda: Gpu(name="Old", memory_mib=8192, bf16=False))
    facts = machine_facts()
    assert (facts.gpu, facts.gpu_memory_mib, facts.bf16) == ("Old", 8192, False)


def test_a_gpu_is_described_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(name="New", total_memory=16 * 1024 * MIB)
    )
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
    assert first_gpu() == Gpu(name="New", memory_mib=16_384, bf16=True)


def test_machines_without_linuxs_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """macOS and Windows: no /proc, no affinity, no sysctl or one that answers."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores(None) == os.cpu_count()
    assert limits(tmp_path / "none", tmp_path) == Limits()
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert processor_facts(tmp_path / "none")[1] == ()

    def sysctl(command: list[str], **_: Any) -> SimpleNamespace:
        known = {"machdep.cpu.brand_string": "Apple M2\n", "hw.optional.arm.FEAT_BF16": "1\n"}
        return SimpleNamespace(stdout=known.get(command[-1], ""))

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(subprocess, "run", sysctl)
    assert processor_facts(tmp_path / "none") == ("Apple M2", ("bf16",))


# ---------------------------------------------------------------- control groups


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def test_version_2_takes_the_tightest_group_above(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("0::/outer/inner\n")
    mount = tmp_path / "cgroup"
    write(mount, cpu__max="max 100000")
    write(mount / "outer", memory__max=str(512 * MIB), memory__current=str(128 * MIB), cpu__max="150000 100000")
    write(mount / "outer" / "inner", memory__max="max", memory__current="1", cpu__max="400000 100000")
    assert limits(tmp_path / "self", mount) == Limits(memory_mib=512, free_mib=384, cores=1.5)


def test_version_2_in_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("0::/\n")
    stat = f"anon 5\ninactive_file {64 * MIB}"
    write(tmp_path / "c", memory__max=str(256 * MIB), memory__current=str(200 * MIB), memory__stat=stat)
    assert limits(tmp_path / "self", tmp_path / "c") == Limits(memory_mib=256, free_mib=120, cores=None)


def test_version_1(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("4:memory:/job\n1:cpu,cpuacct:/job\n9:name=systemd:/\n0::/\n")
    mount = tmp_path / "cgroup"
    write(mount / "memory" / "job", memory__limit_in_bytes=str(100 * MIB), memory__usage_in_bytes=str(90 * MIB))
    write(mount / "cpu,cpuacct" / "job", cpu__cfs_quota_us="200000", cpu__cfs_period_us="100000")
    assert limits(tmp_path / "self", mount) == Limits(memory_mib=100, free_mib=10, cores=2.0)


def test_version_1_without_a_quota(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("1:cpu:/\n")
    write(tmp_path / "cgroup" / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert limits(tmp_path / "self", tmp_path / "cgroup") == Limits()


def test_limits_reach_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "limits", lambda: Limits(memory_mib=100, free_mib=7, cores=1.0))
    facts = machine_facts()
    assert (facts.memory_mib, facts.free_mib, facts.cores) == (100, 7, 1)
