"""The one restart: when it is wanted, and that it happens once, in the same process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fieldcraft.cli import restart

FIT = ["fit", "digits"]


@pytest.fixture(autouse=True)
def a_machine_where_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "_on_glibc", lambda: True)


@pytest.mark.parametrize(
    "arguments",
    [FIT, ["plan", "digits"], [*FIT, "--set", "batch.size=64"], [*FIT, "--set=execution.allocator=tuned"],
     [*FIT, "--plan", "missing.toml"], [*FIT, "--without", "padding"], [*FIT, "--only", "allocator"]],
)  # fmt: skip
def test_training_wants_a_tuned_start(arguments: list[str]) -> None:
    assert restart.wants_tuned_start(arguments, {})


@pytest.mark.parametrize(
    "arguments",
    [[], ["data", "digits"], ["predict", "run", "fit"], ["--help"], [*FIT, "--help"],
     [*FIT, "--set", "execution.allocator=default"], [*FIT, "--set=execution.allocator=default"],
     [*FIT, "--set", 'execution.allocator = "default"'], [*FIT, "--without", "allocator"], [*FIT, "--only", "padding"]],
)  # fmt: skip
def test_other_commands_and_those_who_decline_do_not(arguments: list[str]) -> None:
    assert not restart.wants_tuned_start(arguments, {})


def test_the_last_edit_counts() -> None:
    edits = ["--set", "execution.allocator=default", "--set", "execution.allocator=tuned"]
    assert restart.wants_tuned_start([*FIT, *edits], {})


@pytest.mark.parametrize("variable", [restart.MARK, restart.REFUSAL])
def test_never_twice_and_never_against_the_users_will(variable: str) -> None:
    assert not restart.wants_tuned_start(FIT, {variable: "1"})


def test_not_where_it_would_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "_on_glibc", lambda: False)
    assert not restart.wants_tuned_start(FIT, {})


@pytest.mark.parametrize(("allocator", "wanted"), [("default", False), ("tuned", True)])
def test_a_plan_file_decides(tmp_path: Path, allocator: str, wanted: bool) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(f'[execution]\nallocator = "{allocator}"\n')
    assert restart.wants_tuned_start([*FIT, "--plan", str(plan)], {}) is wanted
    plan.write_text("not a plan")
    assert restart.wants_tuned_start([*FIT, "--plan", str(plan)], {}), "the command will say what is wrong with it"


STARTED = """
import json, os, sys
sys.path.insert(0, os.environ["SOURCE"])
if "torch" in sys.modules: sys.exit("torch came first")
from fieldcraft.cli.restart import SETTINGS, ensure_tuned_start
born = os.environ.setdefault("FIRST_PID", str(os.getpid()))
ensure_tuned_start(sys.argv[1:])
print(json.dumps({"pid": os.getpid(), "first": int(born), "settings": {n: os.environ.get(n) for n in SETTINGS},
                  "arguments": sys.argv[1:], "warnings": sys.warnoptions}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
def test_it_happens_once_in_the_same_process(tmp_path: Path) -> None:
    script = tmp_path / "started.py"
    script.write_text(STARTED)
    source = str(Path(restart.__file__).parents[2])
    environment = {n: v for n, v in os.environ.items() if n not in (restart.MARK, restart.REFUSAL)}
    environment |= {"SOURCE": source, "MALLOC_TOP_PAD_": "123456"}
    arguments = ["fit", "a b", "--budget", "10s", "--set", "batch.size=8"]
    done = subprocess.run(
        [sys.executable, "-Wonce", str(script), *arguments], env=environment, capture_output=True, text=True, check=True
    )
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert told["pid"] == told["first"]
    assert told["arguments"] == arguments
    assert told["warnings"] == ["once"], "the interpreter's own flags are kept"
    assert told["settings"] == {**restart.SETTINGS, "MALLOC_TOP_PAD_": "123456"}, "the user's own settings are kept"
