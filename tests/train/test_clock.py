"""Seconds against the budget."""

import math
import subprocess
import sys
import time

import psutil
import pytest

from fieldcraft.train.clock import Clock, process_started


def test_spent_and_left_add_up_to_the_budget() -> None:
    clock = Clock(budget_s=60.0, spent_before_s=20.0, started=100.0, now=lambda: 105.5)
    assert clock.spent_s == 25.5
    assert clock.left_s == 34.5


def test_time_spent_dead_does_not_count() -> None:
    first = Clock(budget_s=60.0, started=0.0, now=lambda: 20.0)
    second = Clock(budget_s=60.0, spent_before_s=first.spent_s, started=1000.0, now=lambda: 1001.0)
    assert second.spent_s == 21.0


def test_more_than_the_budget_is_less_than_nothing_left() -> None:
    assert Clock(budget_s=1.0, started=0.0, now=lambda: 3.0).left_s == -2.0


def test_without_a_budget_there_is_always_time() -> None:
    assert Clock(budget_s=None, started=0.0, now=lambda: 1e9).left_s == math.inf


def test_this_process_began_when_the_system_says_it_did() -> None:
    age = time.time() - psutil.Process().create_time()
    assert time.monotonic() - process_started() == pytest.approx(age, abs=0.5)


def test_a_restart_by_exec_keeps_the_time_of_birth() -> None:
    show = (
        "import time\nfrom fieldcraft.train.clock import process_started\nprint(time.monotonic() - process_started())"
    )
    code = f"import os, sys, time\ntime.sleep(1.0)\nos.execv(sys.executable, [sys.executable, '-c', {show!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) >= 1.0
