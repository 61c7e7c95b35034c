"""Being asked to stop: the first Ctrl-C or SIGTERM is noted and work stops at the next good moment."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType


@dataclass
class StopRequest:
    """Whether someone asked to stop, and by which signal."""

    signal_name: str | None = field(default=None)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.signal_name is not None


@contextmanager
def listening() -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM while the block runs; a second one acts as it would have without us.

    Outside the main thread Python delivers no signals: then nothing is ever noted.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        request.signal_name = signal.Signals(number).name
        for one, handler in before.items():
            signal.signal(one, handler)

    for one in before:
        signal.signal(one, note)
    try:
        yield request
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
