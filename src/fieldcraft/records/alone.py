"""One process in a folder at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fieldcraft.errors import RunError

LOCK = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make the folder and keep other processes out of it; a killed process leaves no lock behind.

    Raises: RunError when it cannot be made, cannot be written, or is in use.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunError(f"another process is working in {folder}: wait for it, or choose another --out.") from error
    except OSError as error:
        raise RunError(
            f"cannot write into {folder}: {error.strerror or error}. Choose another folder with --out."
        ) from error
    try:
        yield
    finally:
        lock.release()
