"""A real cluster on this machine, one of whose two nodes dies half-way through.

Ray takes some ten seconds to start; its test runs in a process of its own, so that what it leaves open (it closes
neither its log files nor waits for its processes) is its own affair.
"""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from tests.proof.factories import make_actor

from fieldcraft.errors import MissingExtraError
from fieldcraft.proof.ray_engine import OnRay

SCRIPT = """
import json
import time
from ray.cluster_utils import Cluster
from fieldcraft.errors import FieldcraftError
from fieldcraft.proof.ray_engine import OnRay
from tests.proof.factories import make_actor, make_user_error, trial

small = {"object_store_memory": 80 * 2**20}
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small})
first, second = cluster.add_node(num_cpus=1, **small), cluster.add_node(num_cpus=1, **small)
cluster.wait_for_nodes()
engine = OnRay(make_actor, 1, address=cluster.address)
told = {"places": engine.places, "again": 0}
short = [trial("look", 0), trial("exit 3", 1), trial("sleep 0.3", 2)]
waiting = [*short, trial("sleep 3", 3), trial("sleep 3", 4)]  # long enough to be in the middle when the node dies
asked = [one.key for one in waiting]
running, found = [], []
while waiting or running:
    while waiting and len(running) < engine.places:
        running.append(waiting.pop(0))
        engine.start(running[-1])
    if len(found) == len(short) and second is not None:
        cluster.remove_node(second, allow_graceful=False)
        second = None
    outcome = engine.ended(0.5)
    if outcome:
        running.remove(outcome.trial)
        found.append(outcome)
told["keys"] = sorted(one.trial.key for one in found) == sorted(asked)
told["errors"] = [one.error for one in found if one.error]
told["threads"] = [one.notes[2] for one in found if one.trial.arm.name == "look"]
told["again"] = sum("run again" in note for one in found for note in one.notes)
until = time.monotonic() + 60
while engine.places > 1 and time.monotonic() < until:
    time.sleep(0.1)
engine.close()
told["left"] = engine.places
engine = OnRay(make_user_error, 1, address=cluster.address)
engine.start(trial("look"))
try:
    engine.ended(60)
except FieldcraftError as error:
    told["unmade"] = str(error)
engine.close()
try:
    OnRay(make_actor, 64, address=cluster.address)
except FieldcraftError as error:
    told["too many"] = str(error)
cluster.shutdown()
print(json.dumps(told))
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: fieldcraft[scale]")
def test_nothing_is_lost_when_one_of_two_nodes_dies() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, check=False, timeout=240,
        env={
            **os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RAY_USAGE_STATS_ENABLED": "0",
            # So that the death is noticed in a second or two instead of a quarter of a minute.
            "RAY_health_check_initial_delay_ms": "0", "RAY_health_check_period_ms": "500",
            "RAY_health_check_failure_threshold": "2",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["keys"], "every trial has one outcome"
    assert told["errors"] == ["its process ended with exit code 3"], "a crash is an outcome, a dead node is none"
    assert told["again"] >= 1, "the trial of the dead node ran again"
    assert told["places"] == 2
    assert told["left"] == 1
    assert told["threads"] == ["1"]
    assert told["unmade"] == "the folder is empty: name another one"
    assert told["too many"].startswith("no machine of the Ray cluster has 64 processors")


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldcraft.proof.ray_engine.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"fieldcraft\[scale\]"):
        OnRay(make_actor, 1)
