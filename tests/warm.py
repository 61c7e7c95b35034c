"""Real processes that begin where the imports end: forked from one that has loaded what takes seconds to load.

For tests that start, kill and start again. Such a process has its own number, environment, folder and output, and dies
of its own signals; only the interpreter's start is spared. Tests of the start itself use `subprocess`.
What forks has imported and done nothing else, so that no thread is lost.
"""

import atexit
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType

LOADED = (
    "fieldcraft.verbs.fit", "fieldcraft.verbs.prove", "fieldcraft.cli.fit",
    "fieldcraft.cli.prove", "skops.io", "scipy.stats", "sklearn.ensemble", "sklearn.linear_model", "torch._dynamo",
)  # fmt: skip
WORD = 8  # bytes of a number between the processes
ROOT = Path(__file__).resolve().parents[1]


class Process:
    """A started process, as `subprocess.Popen` with text pipes would have it; what it prints goes to files."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        """Start `python ARGUMENTS`: `-c CODE ...`, `-m MODULE ...` or `FILE ...`."""
        self._outputs = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115  (closed in communicate)
        report, theirs = os.pipe()
        request = {"arguments": list(arguments), "env": dict(env or os.environ), "cwd": str(cwd or Path.cwd())}
        message = json.dumps(request).encode()
        server = _server()
        socket.send_fds(server, [len(message).to_bytes(WORD)], [one.fileno() for one in self._outputs] + [theirs])
        server.sendall(message)
        os.close(theirs)
        self._report = report
        self.pid = _number(os.read(report, WORD))
        self.returncode: int | None = None
        os.set_blocking(report, False)

    def poll(self) -> int | None:
        """How it ended, as `subprocess` tells it; None while it runs."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                self.returncode = _number(os.read(self._report, WORD))
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Raises: TimeoutExpired."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                self.kill()
                raise subprocess.TimeoutExpired("a warm process", timeout)
            time.sleep(0.005)
        return code

    def communicate(self, timeout: float = 240) -> tuple[str, str]:
        """What it printed, once it has ended."""
        self.wait(timeout)
        told = []
        for one in self._outputs:
            with one:
                one.seek(0)
                told.append(one.read())
        os.close(self._report)
        return told[0], told[1]

    def send_signal(self, number: int) -> None:
        """To a process that may have ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)


def run(
    arguments: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 240
) -> "subprocess.CompletedProcess[str]":
    """A whole process, as `subprocess.run` with its output captured; one from scratch where forks are not safe."""
    if sys.platform != "linux":
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=timeout, env=env, cwd=cwd
        )
    process = Process(arguments, env, cwd)
    out, errors = process.communicate(timeout)
    assert process.returncode is not None
    return subprocess.CompletedProcess(list(arguments), process.returncode, out, errors)


@cache
def _server() -> socket.socket:
    """The line to the process that forks; that ends with this one."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__)), str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), *sys.path))},
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _number(word: bytes) -> int:
    assert len(word) == WORD, "what forks has died"
    return int.from_bytes(word, signed=True)


def _serve(line: socket.socket) -> None:
    for name in LOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        size, files, _, _ = socket.recv_fds(line, WORD, 3)
        if not size:
            return
        message = b""
        while len(message) < int.from_bytes(size):
            message += line.recv(int.from_bytes(size) - len(message))
        if os.fork() == 0:
            line.close()
            _watch(json.loads(message), files)
        for one in files:
            os.close(one)


def _watch(request: dict[str, object], files: list[int]) -> None:
    """Fork the process itself, tell its number, and once it has ended, how."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out, errors, report = files
    child = os.fork()
    if child == 0:
        os.close(report)
        os.dup2(out, 1)
        os.dup2(errors, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os._exit(_run(request))
    os.write(report, child.to_bytes(WORD, signed=True))
    _, status = os.waitpid(child, 0)
    os.write(report, os.waitstatus_to_exitcode(status).to_bytes(WORD, signed=True))
    os._exit(0)


def _run(request: dict[str, object]) -> int:
    """Become `python ARGUMENTS`; the exit code."""
    arguments, environment, folder = request["arguments"], request["env"], request["cwd"]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    kind, *rest = arguments
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = ["" if kind in ("-c", "-m") else str(Path(kind).resolve().parent), *paths]
    code = 0
    try:
        if kind == "-c":
            main = ModuleType("__main__")
            sys.modules["__main__"], sys.argv = main, ["-c", *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), main.__dict__)
        elif kind == "-m":
            sys.argv = [rest[0], *rest[1:]]
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [kind, *rest]
            runpy.run_path(kind, run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    for one in (sys.stdout, sys.stderr):
        one.flush()
    return code


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file is no place to import from
    _serve(socket.socket(fileno=int(sys.argv[1])))
