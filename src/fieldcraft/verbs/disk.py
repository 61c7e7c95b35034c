"""A disk that fills up while a run works: one message, whoever was writing."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fieldcraft.errors import RunError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Turn an error that says the disk is full, or was locked, into one that says what to do.

    Raises: RunError.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise RunError(
            f"cannot write into {folder}: {error.strerror}. Free some space or make the disk writable, then run the "
            "same command again: it goes on from the last checkpoint."
        ) from error
