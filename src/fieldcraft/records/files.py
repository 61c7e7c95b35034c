"""Files that are never half there: written beside, flushed, and renamed; journals grow by whole lines."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fieldcraft.errors import RunError
from fieldcraft.records.versions import bring_forward, stamp

PIECE = 65_536
"""Bytes that are read at once from the end of a file of lines."""


def write_whole(path: Path, content: bytes | str) -> None:
    """Write all of it or nothing, also when the process is killed half-way.

    Raises: RunError when the folder cannot be written or the disk is full; an older file stays as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise RunError(
            f"cannot write {path}: {error.strerror or error}. Free some space or choose another folder with --out; "
            "what was written before is untouched."
        ) from error


def append_line(path: Path, text: str, *, remedy: str) -> None:
    """Append whole lines (`text`, without its last end) and wait until they are on disk; a torn end is mended first.

    Whoever writes must be alone with the file. `remedy`: what a person does when it cannot be written, in sentences.
    Raises: RunError then; what was written before stands.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            _mend(file.fileno())
            file.write(f"{text}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}. {remedy}") from error


def mend_end(path: Path) -> bool:
    """Mend the end of a file of JSON lines after a kill: a line that is whole gets its end, half a line is cut off.

    Gives whether something was cut off. A file that is not there needs no mending.
    """
    if not path.exists():
        return False
    with path.open("r+b") as file:
        return _mend(file.fileno())


def _mend(file: int) -> bool:
    end = os.lseek(file, 0, os.SEEK_END)
    tail = _after_last_line(file, end)
    if not tail:
        return False
    whole = _is_json(tail)
    if whole:
        os.lseek(file, 0, os.SEEK_END)
        os.write(file, b"\n")
    else:
        os.ftruncate(file, end - len(tail))
    os.fsync(file)
    return not whole


def _after_last_line(file: int, end: int) -> bytes:
    """What stands behind the last end of a line."""
    at, tail = end, b""
    while at > 0:
        start = max(0, at - PIECE)
        os.lseek(file, start, os.SEEK_SET)
        _, found, rest = os.read(file, at - start).rpartition(b"\n")
        tail = rest + tail
        if found:
            return tail
        at = start
    return tail


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def write_json(path: Path, kind: str, value: object) -> None:
    """Write a pydantic dataclass (or a plain dict) as a versioned JSON document."""
    body = value if isinstance(value, dict) else TypeAdapter(type(value)).dump_python(value, mode="json")
    write_whole(path, json.dumps(stamp(kind, body), indent=1, allow_nan=False) + "\n")


def read_json(path: Path, kind: str) -> dict[str, Any]:
    """Read a versioned JSON document as the current version has it.

    Raises: RunError when the file is missing or damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: this is no complete run folder.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged ({error}): delete it and run the same command again.") from error
    if not isinstance(document, dict):
        raise RunError(f"{path} is damaged (an object was expected): delete it and run the same command again.")
    return bring_forward(kind, document, str(path))
