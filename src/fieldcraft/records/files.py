"""Files that are never half there: written beside, flushed, and renamed."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fieldcraft.errors import RunError
from fieldcraft.records.versions import bring_forward, stamp


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


def write_json(path: Path, kind: str, value: object) -> None:
    """Write a pydantic dataclass (or a plain dict) as a versioned JSON document."""
    body = value if isinstance(value, dict) else TypeAdapter(type(value)).dump_python(value, mode="json")
    write_whole(path, json.dumps(stamp(kind, body), indent=1, allow_nan=False) + "\n")


def read_json(path: Path, kind: str) -> dict[str, Any]:
    """Read a versioned JSON document as the current version has it.

    Raises: RunError when the file is missing or damaged.
    """
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: this is no complete run folder.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged ({error}): delete it and run the same command again.") from error
    if not isinstance(document, dict):
        raise RunError(f"{path} is damaged (an object was expected): delete it and run the same command again.")
    return bring_forward(kind, document, str(path))
