"""Real processes, killed for real."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from tests.proof.factories import make_actor, make_death, make_nothing, make_user_error, trial

from fieldcraft.errors import FieldcraftError, RunError
from fieldcraft.proof.engine import Engine, Run
from fieldcraft.proof.workers import Processes
from fieldcraft.records.proof import Outcome, Trial

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills and pins as POSIX systems do")
LONG_S = 60.0


def outcome_of(engine: Engine, one: Trial) -> Outcome:
    engine.start(one)
    found = engine.ended(LONG_S)
    assert found is not None
    assert found.trial == one
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def no_process_left() -> Iterator[None]:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    threads = threading.active_count()
    yield
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert left == [], "a worker is left, or a zombie"
    assert threading.active_count() == threads


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Processes]:
    with no_process_left(), closing(Processes(make_actor, 1, 1, logs=tmp_path)) as found:
        yield found


def test_one_worker_carries_out_trial_after_trial(engine: Processes, tmp_path: Path) -> None:
    assert engine.places == 1
    assert engine.ended(0.0) is None
    first = outcome_of(engine, trial("look", 4))
    assert (first.score, first.error, first.worker) == (4.0, "", 0)
    pid, parent, threads, cores, torch_is_there = first.notes
    assert int(pid) != os.getpid()
    assert int(parent) == os.getpid()
    assert threads == "1"
    assert torch_is_there == "False", "threads are set before torch is imported"
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1:
        assert cores == str([min(os.sched_getaffinity(0))])
    assert outcome_of(engine, trial("look", 5)).notes == first.notes

    outcome_of(engine, trial("talk hello"))
    assert (tmp_path / "worker-0.log").read_text() == "said hello\nwritten\n"

    raised = outcome_of(engine, trial("raise"))
    assert (raised.score, raised.error) == (None, "RuntimeError: the loss")
    assert "has a second line" in (tmp_path / "worker-0.log").read_text()
    assert outcome_of(engine, trial("sys-exit 3")).error == "it called sys.exit(3)"
    assert outcome_of(engine, trial("nothing")).error == "it returned NoneType, an Outcome was expected"
    nan = outcome_of(engine, trial("nan nan"))
    assert (nan.score, nan.diverged, nan.error) == (None, True, "the metric is nan")
    assert outcome_of(engine, trial("look", 6)).notes[0] == pid, "none of these needs another worker"

    engine.start(trial("sleep 0.05"))
    with pytest.raises(RuntimeError, match="all 1 workers are busy"):
        engine.start(trial("sleep 0"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("segfault", "its process crashed: segmentation fault (SIGSEGV); see worker-0.log"),
        ("kill", "its process was killed (SIGKILL), as systems do when memory runs out; see worker-0.log"),
        ("exit 3", "its process ended with exit code 3; see worker-0.log"),
    ],
)
def test_a_crash_costs_its_trial_and_the_worker_is_replaced(engine: Processes, name: str, told: str) -> None:
    before = outcome_of(engine, trial("look"))
    found = outcome_of(engine, trial(name))
    assert (found.score, found.error) == (None, told)
    after = outcome_of(engine, trial("look"))
    assert (after.error, after.score) == ("", 0.0)
    assert after.notes[0] != before.notes[0]


def test_a_worker_that_dies_between_trials_costs_none(engine: Processes) -> None:
    pid = int(outcome_of(engine, trial("look")).notes[0])
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    time.sleep(0.05)
    assert outcome_of(engine, trial("look")).error == ""


def test_a_worker_killed_in_a_trial_takes_its_children_along(tmp_path: Path) -> None:
    with no_process_left(), closing(Processes(make_actor, 1, 1)) as engine:
        engine.start(trial(f"children {tmp_path / 'pids'}"))
        assert engine.ended(0.0) is None
        assert eventually((tmp_path / "pids").exists)
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        os.kill(pids[0], signal.SIGKILL)
        found = engine.ended(LONG_S)
        assert found is not None
        assert found.error == "its process was killed (SIGKILL), as systems do when memory runs out"
        assert eventually(lambda: not any(alive(pid) for pid in pids))


def test_a_trial_that_hangs_is_stopped(tmp_path: Path) -> None:
    with no_process_left(), closing(Processes(make_actor, 1, 1, limit_s={"confirm": 0.2})) as engine:
        found = outcome_of(engine, trial("sleep 300"))
        assert (found.score, found.error) == (None, "it ran for more than 0.2 s and was stopped")
        assert outcome_of(engine, trial("sleep 0")).error == ""


def test_two_workers_run_at_once_on_cores_of_their_own() -> None:
    with no_process_left(), closing(Processes(make_actor, 2, 1)) as engine:
        assert engine.places == 2
        for pair in range(2):
            engine.start(trial("look", pair))
        found = [engine.ended(LONG_S), engine.ended(LONG_S)]
        assert sorted(one.trial.pair for one in found if one) == [0, 1]
        assert len({one.notes[0] for one in found if one}) == 2
        if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1:
            assert len({one.notes[3] for one in found if one}) == 2
        engine.start(trial("sleep 300"))  # closing does not wait for it


@pytest.mark.parametrize(
    ("make", "kind", "told"),
    [
        (make_nothing, RunError, r"a worker could not be prepared: ValueError: no such data$"),
        (make_user_error, FieldcraftError, r"^the folder is empty: name another one$"),
        (make_death, RunError, "its process ended with exit code 7 while it was being prepared"),
    ],
)
def test_workers_that_cannot_be_made_end_the_proof(
    make: Callable[[], Run], kind: type[FieldcraftError], told: str
) -> None:
    with no_process_left(), closing(Processes(make, 1, 1)) as engine:
        engine.start(trial("look"))
        with pytest.raises(kind, match=told):
            engine.ended(LONG_S)


def test_what_cannot_be_sent_says_so() -> None:
    lock = threading.Lock()

    def make() -> Run:
        lock.acquire()
        return make_actor()

    with pytest.raises(RunError, match="cannot be sent to worker processes"):
        Processes(make, 1, 1)


def test_a_closure_can_be_sent() -> None:
    notes = ("from here",)

    def make() -> Run:
        return lambda one: Outcome(trial=one, score=1.0, notes=notes)

    with closing(Processes(make, 1, 1)) as engine:
        assert outcome_of(engine, trial("any")).notes == notes


@pytest.mark.parametrize(("workers", "threads"), [(0, 1), (1, 0)])
def test_less_than_one_is_refused(workers: int, threads: int) -> None:
    with pytest.raises(ValueError, match="must hold"):
        Processes(make_actor, workers, threads)


SCRIPT = """
import sys
from pathlib import Path
from fieldcraft.proof.workers import Processes
from fieldcraft.records.proof import Arm, Outcome, Trial
from tests.proof.factories import act, trial

def make():
    return run

def run(one):
    return act(one)

engine = Processes(make, 1, 1, logs=Path(sys.argv[1]).parent)
engine.start(trial(sys.argv[2] + " " + sys.argv[1]))
print("started", flush=True)
try:
    print(engine.ended(300))
finally:
    engine.close()
"""


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@contextmanager
def script(tmp_path: Path, act: str) -> Iterator["subprocess.Popen[str]"]:
    """A script without a guard around its main part, whose functions belong to it."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    command = [sys.executable, str(path), str(tmp_path / "pids"), act]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_no_orphans_when_the_parent_is_killed(tmp_path: Path) -> None:
    with script(tmp_path, "children") as process:
        assert eventually((tmp_path / "pids").exists)
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        assert all(alive(pid) for pid in pids)
        process.kill()
        assert eventually(lambda: not any(alive(pid) for pid in pids))


def test_ctrl_c_ends_the_workers_without_a_word_from_them(tmp_path: Path) -> None:
    with script(tmp_path, "children") as process:
        assert eventually((tmp_path / "pids").exists)
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=LONG_S)
        assert complaint.count("Traceback") == 1, "the script's own"
        assert (tmp_path / "worker-0.log").read_text() == ""
        assert eventually(lambda: not any(alive(pid) for pid in pids))
