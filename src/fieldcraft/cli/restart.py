"""One restart of the commands that train, for settings that work only from process start.

glibc hands large blocks back to the system when they are freed and asks for them again at the next training step; each
time the pages have to be mapped and cleared. Kept instead, a training step causes some 30 to 400 times fewer page
faults (PyTorch on CPU, small convolutional networks). The process keeps its number and its time of birth, so that
budgets count from the first start.
"""

import itertools
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

COMMANDS = ("fit", "plan", "prove")
"""Those that train or time training."""
MARK = "FIELDCRAFT_TUNED_START"
REFUSAL = "FIELDCRAFT_NO_RESTART"
SETTINGS: Mapping[str, str] = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "THP_MEM_ALLOC_ENABLE": "1",
}
"""Blocks come from the heap, the heap is not given back and grows by 64 MiB; PyTorch asks for huge pages."""


def wants_tuned_start(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a command line will train or time training, the settings work here, and nobody declined them."""
    if not arguments or arguments[0] not in COMMANDS or {"--help", "-h"} & set(arguments):
        return False
    if environment.get(MARK) or environment.get(REFUSAL) or not _on_glibc():
        return False
    if "allocator" in _values(arguments, "--without"):
        return False
    only = _values(arguments, "--only")
    if only and "allocator" not in only:
        return False
    edits = [edit.replace(" ", "").replace('"', "") for edit in _values(arguments, "--set")]
    chosen = [edit.partition("=")[2] for edit in edits if edit.startswith("execution.allocator=")]
    if chosen:
        return chosen[-1] != "default"
    return not any(_declines(Path(plan)) for plan in _values(arguments, "--plan"))


def ensure_tuned_start(arguments: Sequence[str]) -> None:
    """Start `fieldcraft` again, once, in the same process, with the allocator's settings; return if that is not wanted.

    Settings that the user made already are kept.
    """
    if not wants_tuned_start(list(arguments), os.environ):
        return
    environment = {**SETTINGS, **os.environ, MARK: "1"}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def _on_glibc() -> bool:
    if sys.platform != "linux":
        return False
    with suppress(ValueError, OSError):
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    return False


def _values(arguments: Sequence[str], option: str) -> list[str]:
    """Every value of a repeatable option, written `--set a=b` or `--set=a=b`."""
    joined = [word.removeprefix(f"{option}=") for word in arguments if word.startswith(f"{option}=")]
    apart = [value for word, value in itertools.pairwise(arguments) if word == option]
    return joined + apart


def _declines(plan: Path) -> bool:
    """Whether a plan file says `allocator = "default"`; a file that cannot be read is left to the command."""
    with suppress(OSError, ValueError, AttributeError):
        document = tomllib.loads(plan.read_text(encoding="utf-8"))
        return bool(document.get("execution", {}).get("allocator") == "default")
    return False
