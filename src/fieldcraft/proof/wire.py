"""What a proof and its workers say to each other over unbuffered pipes: a length, then a pickled message.

Both ends are started by the same person from the same installation; nothing from outside is ever unpickled.
"""

import pickle
import struct
from dataclasses import dataclass
from typing import IO

from fieldcraft.records.proof import Outcome, Trial

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class Begin:
    """The first message to a worker."""

    make: bytes
    """A pickled function that makes its `Run`."""
    path: tuple[str, ...]
    """Where modules are searched for."""
    python_path: str | None
    """PYTHONPATH as it was for the parent."""
    cores: tuple[int, ...]


@dataclass(frozen=True)
class Ready:
    """The worker has made its `Run`."""


@dataclass(frozen=True)
class Unmade:
    """The worker could not make its `Run`; it ends."""

    error: str
    for_a_person: bool
    """The error is one of fieldcraft's own: it says what to do."""


Order = Begin | Trial
Answer = Ready | Unmade | Outcome


def send(pipe: IO[bytes], message: Order | Answer) -> None:
    """Write one message. Raises: OSError when nobody reads any more."""
    body = pickle.dumps(message)
    left = memoryview(_LENGTH.pack(len(body)) + body)
    while left:
        left = left[pipe.write(left) :]


def receive(pipe: IO[bytes]) -> object:
    """Wait for one message. Raises: EOFError when the other end is gone, in the middle of one or between two."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return pickle.loads(_exactly(pipe, length))


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    parts = []
    while size:
        part = pipe.read(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
