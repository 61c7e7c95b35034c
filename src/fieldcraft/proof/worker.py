"""A worker: a process of its own that carries out one trial after the other, until its pipe closes.

Started as `python -m fieldcraft.proof.worker`, so that neither the parent's main module is run again nor anything of
it is inherited but what it is sent. Torch is not imported before the cores and the number of threads are set.
"""

import gc
import os
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from functools import partial
from typing import IO

import cloudpickle

from fieldcraft.errors import FieldcraftError
from fieldcraft.proof.carry_out import carry_out, in_words
from fieldcraft.proof.cores import pin
from fieldcraft.proof.wire import Begin, Ready, Unmade, receive, send
from fieldcraft.records.proof import Trial


def main() -> None:
    """Serve orders from stdin; answers go to what stdout was, and everything printed goes to stderr."""
    orders, answers = _own_pipes()
    inbox: queue.Queue[object] = queue.Queue()
    threading.Thread(target=_listen, args=(orders, inbox), daemon=True).start()
    begin = inbox.get()
    if not isinstance(begin, Begin):
        return
    _settle(begin)
    try:
        run = cloudpickle.loads(begin.make)()
    except FieldcraftError as error:
        send(answers, Unmade(str(error), for_a_person=True))
        return
    except Exception as error:
        traceback.print_exc()
        send(answers, Unmade(in_words(error), for_a_person=False))
        return
    # What was made stays for good: collecting after each trial need not look at it again.
    gc.collect()
    gc.freeze()
    inbox.task_done()
    send(answers, Ready())
    while isinstance(trial := inbox.get(), Trial):
        outcome = carry_out(run, trial)
        inbox.task_done()
        send(answers, outcome)
        gc.collect()


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The two pipes, out of reach of anything that prints, reads or forks."""
    orders, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(os.closerange, min(orders, answers), max(orders, answers) + 1))
    return os.fdopen(orders, "rb", buffering=0), os.fdopen(answers, "wb", buffering=0)


def _listen(orders: IO[bytes], inbox: "queue.Queue[object]") -> None:
    """Hand orders on; when the parent is gone in the middle of something, end at once with all that was started."""
    with suppress(EOFError):
        while True:
            inbox.put(receive(orders))
    if not inbox.unfinished_tasks:
        inbox.put(None)
        return
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _settle(begin: Begin) -> None:
    pin(begin.cores)
    sys.path[:] = begin.path
    if begin.python_path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = begin.python_path


if __name__ == "__main__":
    main()
