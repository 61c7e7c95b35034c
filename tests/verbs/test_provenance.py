"""Where a run comes from, and whose folder it is."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter

from fieldcraft.errors import RunError
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.records.alone import alone_in
from fieldcraft.records.files import read_json
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.provenance import PACKAGES, Provenance, Request, claim, keep, provenance

REQUEST = Request(
    source="made.npz", data_digest="abc", options=(), budget_s=60.0, plan=None, edits=(), without=(), only=(), seed=0
)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A folder that a run has begun in."""
    found = RunFolder(tmp_path / "run")
    with alone_in(found.path):
        assert claim(found, REQUEST) is False
        keep(found, provenance(REQUEST, ("fieldcraft", "fit"), machine_facts()))
    return found


def test_everything_that_a_repeat_needs_is_there(folder: RunFolder) -> None:
    found = TypeAdapter(Provenance).validate_python(read_json(folder.provenance, "provenance"))
    assert found.request == REQUEST
    assert found.command == ("fieldcraft", "fit")
    assert set(found.versions) == set(PACKAGES)
    assert found.versions["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.machine.cores >= 1


def test_the_same_command_goes_on_once_there_is_a_plan(folder: RunFolder) -> None:
    folder.plan.write_text("schema = 1\n")
    assert claim(folder, REQUEST) is True


@pytest.mark.parametrize("budget_s", [60.0, 120.0])
def test_a_run_that_came_to_no_plan_makes_room(folder: RunFolder, budget_s: float) -> None:
    folder.journal.write_text('{"schema": 1, "event": "tick", "spent_s": 50.0, "stage": "data"}\n')
    folder.splits.mkdir()
    (folder.splits / "train.txt").write_text("0\n")
    (folder.path / "notes.txt").write_text("mine")
    assert claim(folder, replace(REQUEST, budget_s=budget_s)) is False
    assert sorted(path.name for path in folder.path.iterdir()) == [".lock", "notes.txt"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "--seed was 0, now 1"),
        ({"budget_s": None}, "--budget was 60 s, now none"),
        ({"edits": ("batch.size=3",)}, "--set was not given, now batch.size=3"),
        ({"data_digest": "def"}, "the content of the data is another"),
    ],
)
def test_another_command_is_told_what_differs(folder: RunFolder, change: dict[str, object], told: str) -> None:
    folder.plan.write_text("schema = 1\n")
    with pytest.raises(RunError, match=f"holds a run of another command .{told}.*--out"):
        claim(folder, replace(REQUEST, **change))  # type: ignore[arg-type]
    assert folder.plan.exists()


def test_what_a_killed_process_left_of_its_first_write_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".provenance.json.123.tmp").write_text("{")
    assert claim(RunFolder(tmp_path), REQUEST) is False
