"""Exported programs, runs and plans: the same totals as the modules that they came from, and nothing unpickled."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from fieldcraft.errors import InspectError, PlanError
from fieldcraft.inspection.sources.open import open_source
from fieldcraft.records.operations import Regulariser
from fieldcraft.verbs.inspect import inspect

RUN = Path(__file__).parents[1] / "verbs" / "fixtures" / "run-1-net"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "resnet18.pt2"
    torch.export.save(torch.export.export(resnet18().eval(), (torch.randn(2, 3, 64, 64),)), path)
    return path


def document(program: Path) -> dict[str, object]:
    with zipfile.ZipFile(program) as archive:
        name = next(one for one in archive.namelist() if one.endswith("models/model.json"))
        found: dict[str, object] = json.loads(archive.read(name))
        return found


# ---------------------------------------------------------------- exported programs


def test_a_program_has_the_totals_and_the_rows_of_its_module(program: Path) -> None:
    of_file, of_module = inspect(str(program)).anatomy, inspect(resnet18(), (3, 64, 64), batch=2).anatomy
    assert (of_file.batch, of_file.macs, of_file.parameter_count) == (2, of_module.macs, of_module.parameter_count)
    assert of_file.memory == of_module.memory
    rows = [
        [
            (row.module, row.call, row.operation, row.parameters, row.fields[0].axes if row.fields else ())
            for row in one.rows
            if not isinstance(row.operation, Regulariser)
        ]
        for one in (of_file, of_module)
    ]
    assert rows[0] == rows[1]
    assert {one.path for one in of_module.modules} - {one.path for one in of_file.modules} <= {
        one.path for one in of_module.modules if not one.parameters
    }


def test_nodes_are_places(program: Path) -> None:
    row = inspect(str(program)).anatomy.rows[0]
    assert row.location is not None
    assert (row.location.file, row.location.line, row.location.text) == (str(program), 0, "conv2d")
    assert (row.module, row.kind) == ("conv1", "Conv2d")


def test_a_free_batch_is_free(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2)).eval()
    made = torch.export.export(net, (torch.randn(2, 3, 8, 8),), dynamic_shapes=({0: torch.export.Dim("n")},))
    torch.export.save(made, tmp_path / "free.pt2")
    assert inspect(str(tmp_path / "free.pt2")).anatomy.batch == 1
    assert inspect(str(tmp_path / "free.pt2"), batch=7).anatomy.batch == 7


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


def test_nothing_is_unpickled(program: Path, tmp_path: Path) -> None:
    mark = tmp_path / "it-went-off"
    bomb = pickle.dumps(Bomb(mark))
    path = tmp_path / "changed.pt2"
    with zipfile.ZipFile(program) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, bomb if name.endswith(".pt") or "/weight_" in name else old.read(name))
    inspect(str(path))
    assert not mark.exists()
    pickle.loads(bomb)
    assert mark.exists(), "the bomb works"


@pytest.mark.parametrize(
    "target",
    [
        "torch.os.system",
        "torch.ops.load_library",
        "_operator.methodcaller",
        "torch.ops.aten.__class__.__init__",
        "os.system",
    ],
)
def test_only_operators_are_called(program: Path, tmp_path: Path, target: str) -> None:
    found = document(program)
    found["graph_module"]["graph"]["nodes"][0]["target"] = target  # type: ignore[index]
    path = tmp_path / "changed.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/models/model.json", json.dumps(found))
    with pytest.raises(InspectError, match=r"node conv2d calls .*, which is no ATen operator\. --trust opens it"):
        open_source(str(path))


def test_trust_opens_it_with_torch(program: Path) -> None:
    trusted, safe = inspect(str(program), trust=True).anatomy, inspect(str(program)).anatomy
    assert trusted.macs == safe.macs
    assert trusted.has_weights
    assert not safe.has_weights


@pytest.mark.parametrize("body", [b"", b"no archive"])
def test_a_damaged_program(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "bad.pt2").write_bytes(body)
    with pytest.raises(InspectError, match=r"is damaged or no \.pt2 file"):
        open_source(str(tmp_path / "bad.pt2"))


def test_a_program_of_another_schema(program: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "new.pt2", "w") as archive:
        archive.writestr("a/models/model.json", json.dumps({**document(program), "schema_version": {"major": 99}}))
    with pytest.raises(InspectError, match="schema version 99"):
        open_source(str(tmp_path / "new.pt2"))


# ---------------------------------------------------------------- runs and plans


def test_a_run_gives_the_network_that_won_with_what_is_known_around_it() -> None:
    source = open_source(str(RUN))
    assert source.name.endswith("run-1-net:small")
    assert (source.circumstances.loss, source.circumstances.device) == ("cross-entropy", "cpu")
    assert source.circumstances.batch
    found = inspect(str(RUN)).anatomy
    assert found.shape(found.outputs[0]) == (1, 2)
    assert found.shape(found.inputs[0]) == (1, 1, 6, 6)


def test_a_plan_gives_its_last_rung_or_the_one_that_is_named() -> None:
    plan = RUN / "plan.toml"
    assert open_source(str(plan)).name.endswith(":large")
    small = open_source(f"{plan}:small")
    assert small.name.endswith(":small")
    assert "(large)" in small.notes[0]
    with pytest.raises(InspectError, match="has no rung tiny; it has small, large"):
        open_source(f"{plan}:tiny")


def test_a_plan_alone_says_what_it_guessed(tmp_path: Path) -> None:
    shutil.copy(RUN / "plan.toml", tmp_path / "plan.toml")
    source = open_source(str(tmp_path / "plan.toml"))
    assert "built with 10" in source.notes[-1]


def test_a_damaged_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("schema = 1\nnot toml")
    with pytest.raises(PlanError):
        open_source(str(tmp_path / "plan.toml"))
