"""What people get wrong: one clear message with what to do, exit code 2, no traceback, and nothing lost."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from fieldcraft.cli.app import app


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def refused(result: Result, *says: str) -> None:
    """One message on standard error that says all of it."""
    assert result.exit_code == 2, (result.output, result.exception)
    assert "Traceback" not in result.stderr
    message = result.stderr.rpartition("error: ")[2]
    for one in says:
        assert re.search(one, message), f"{one!r} is not said by: {message}"


def photos(folder: Path, counts: dict[str, int]) -> Path:
    rng = np.random.default_rng(0)
    for kind, count in counts.items():
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(folder / kind / f"{number}.png")
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 3)), columns=["heat", "flow", "load"])
    frame["good"] = np.where(frame["heat"] > 0, "yes", "no")
    frame.to_csv(tmp_path / "parts.csv", index=False)
    return tmp_path / "parts.csv"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run, to be copied."""
    folder = tmp_path_factory.mktemp("finished")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(150, 3)), columns=["heat", "flow", "load"])
    frame["good"] = np.where(frame["heat"] * frame["flow"] > 0, "yes", "no")
    frame.to_csv(folder / "parts.csv", index=False)
    here = ["ladder.baselines=[]", "ladder.climb=always", "ladder.rungs.small.steps=20", "ladder.rungs.large.steps=2"]
    edits = [word for edit in here for word in ("--set", edit)]
    done = call("fit", folder / "parts.csv", "--target", "good", "--budget", "none", "--out", folder / "run", *edits)
    assert done.exit_code == 0, (done.output, done.exception)
    return folder


# ---------------------------------------------------------------- data


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(call("data", tmp_path / "empty"), "is empty", "folder named like the class")


def test_one_class_only(tmp_path: Path) -> None:
    refused(call("fit", photos(tmp_path / "p", {"cat": 9}), "--out", tmp_path / "run"), "cat", "two|second")
    assert not (tmp_path / "run" / "plan.toml").exists()


def test_a_class_with_one_image(tmp_path: Path) -> None:
    refused(call("fit", photos(tmp_path / "p", {"cat": 9, "dog": 9, "owl": 1}), "--out", tmp_path / "run"), "owl")


def test_an_archive_instead_of_a_folder(tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "photos"), "zip", photos(tmp_path / "p", {"cat": 2, "dog": 2}))
    refused(call("data", tmp_path / "photos.zip"), "archive", "unpack")


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    photos(tmp_path / "photos", {"cat": 1})
    refused(call("data", tmp_path / "photo"), "does not exist", "photos")
    refused(call("fit", "digit", "--out", tmp_path / "run"), "digits")


def test_no_readable_image(tmp_path: Path) -> None:
    for kind in ("cat", "dog"):
        (tmp_path / "p" / kind).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "p" / kind / f"{number}.png").write_bytes(b"no picture")
    refused(call("data", tmp_path / "p"), "read")


def test_some_unreadable_images_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = photos(tmp_path / "p", {"cat": 5, "dog": 5})
    (folder / "cat" / "broken.png").write_bytes(b"no picture")
    result = call("data", folder)
    assert result.exit_code == 0
    assert "10 samples" in result.stdout
    assert "broken.png" in result.stdout


def test_a_table_without_its_target(table: Path) -> None:
    refused(call("data", table), "--target", "good")
    refused(call("data", table, "--target", "goods"), "no column 'goods'", "'good'", "heat.*flow.*load")


def test_labels_as_floats(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(60.0), "kind": [0.0, 1.0, 2.0] * 20})
    frame.to_csv(tmp_path / "t.csv", index=False)
    result = call("data", tmp_path / "t.csv", "--target", "kind")
    assert result.exit_code == 0
    assert "regression" in result.stdout or "classes" in result.stdout
    frame["kind"] += 0.5
    frame.to_csv(tmp_path / "u.csv", index=False)
    refused(call("data", tmp_path / "u.csv", "--target", "kind", "--task", "multi-label"), "kind|label")


def test_an_unknown_reader(table: Path) -> None:
    refused(call("data", table, "--as", "tabel"), "tabel", "table")


# ---------------------------------------------------------------- plan


def test_an_unknown_tip(table: Path, tmp_path: Path) -> None:
    for option in ("--without", "--only"):
        plan = call("plan", table, "--target", "good", option, "paddin", "--out", tmp_path / "p.toml")
        refused(plan, "paddin", "tips")
    refused(call("tips", "paddin"), "paddin", "padding")
    assert not (tmp_path / "p.toml").exists()


def test_an_unknown_field(table: Path, tmp_path: Path) -> None:
    for edit, says in (("batch.sise=3", "size"), ("batch.size=0", "1"), ("batch", "field=value")):
        plan = call("plan", table, "--target", "good", "--set", edit, "--out", tmp_path / "p.toml")
        refused(plan, re.escape(edit), says)


def test_a_plan_that_was_edited_is_kept(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.toml"
    out.write_text("# hours of thought")
    result = call("plan", table, "--target", "good", "--budget", "none", "--only", "architecture", "--out", out)
    assert result.exit_code == 0 and "plan.toml.old" in result.stderr
    assert (tmp_path / "plan.toml.old").read_text() == "# hours of thought"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("schema = 1", "schema = 99"), ("newer fieldcraft", "upgrade")),
        (lambda text: re.sub(r"^size = \d+", "size = -4", text, flags=re.M), ("batch.size", "line")),
        (lambda text: text.replace("[batch]", "[bach]"), ("bach", "batch")),
        (lambda text: "size = = 3\n" + text, ("line 1",)),
    ],
    ids=["newer", "out-of-range", "misspelt", "no-toml"],
)
def test_a_plan_that_is_none(
    finished: Path, tmp_path: Path, change: Callable[[str], str], says: tuple[str, ...]
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(change((finished / "run" / "plan.toml").read_text()))
    out = tmp_path / "run"
    refused(call("fit", finished / "parts.csv", "--target", "good", "--plan", plan, "--out", out), "plan.toml", *says)
    refused(call("tips", "--plan", tmp_path / "plan.tom"), "does not exist", "plan.toml")


# ---------------------------------------------------------------- budget


def test_an_impossible_budget_says_the_least_that_works(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    refused(call("fit", finished / "parts.csv", "--target", "good", "--budget", "2s", "--out", out), r"least.* \d+ s")
    refused(call("fit", finished / "parts.csv", "--target", "good", "--budget", "soon"), "60s, 10m, 1h30m")
    refused(call("plan", finished / "parts.csv", "--target", "good", "--budget", "0"), "longer than zero")


# ---------------------------------------------------------------- run folders


def test_after_a_refused_budget_the_folder_is_free_for_a_longer_one_and_for_the_same(
    finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    short = ("fit", finished / "parts.csv", "--target", "good", "--out", run, "--budget", "1s")
    for _ in range(2):
        again = call(*short)
        refused(again, "no time for training")
        assert "goes on" not in again.stderr
    assert [line["stage"] for line in _journal(run)].count("start and data") == 1


def _journal(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]


def test_a_folder_that_cannot_be_written(table: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused(call("fit", table, "--target", "good", "--out", tmp_path / "file" / "run"), "--out")
    refused(call("plan", table, "--target", "good", "--out", tmp_path / "file" / "plan.toml"), "cannot write", "--out")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(table: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(call("fit", table, "--target", "good", "--out", tmp_path / "locked" / "run"), "--out")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *arguments: object, **named: object) -> object:
        if str(arguments[0] if arguments else named.get("mode", "r")).startswith("w") and path.name.startswith("."):
            return Path.__dict__["_open"](Path("/dev/full"), "wb", buffering=0)
        return Path.__dict__["_open"](path, *arguments, **named)

    shutil.copytree(finished / "run", tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()}
    monkeypatch.setattr(Path, "_open", Path.open, raising=False)
    monkeypatch.setattr(Path, "open", full)
    refused(call("report", tmp_path / "run"), "cannot write", "space")
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()} == before


def test_a_run_of_another_command(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "run", tmp_path / "run")
    before = (tmp_path / "run" / "plan.toml").read_bytes()
    other = call("fit", finished / "parts.csv", "--target", "good", "--seed", "5", "--out", tmp_path / "run")
    refused(other, "another command", "seed", "--out")
    assert (tmp_path / "run" / "plan.toml").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    refused(call("fit", finished / "parts.csv", "--target", "good", "--out", tmp_path / "mine"), "thesis.tex", "--out")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_what_is_no_run(tmp_path: Path) -> None:
    for command in (("predict", tmp_path, "x.csv"), ("score", tmp_path), ("report", tmp_path)):
        refused(call(*command), re.escape(str(tmp_path)))
        assert list(tmp_path.iterdir()) == []


def test_damaged_weights(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "run", tmp_path / "run")
    weights = tmp_path / "run" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    result = call("predict", tmp_path / "run", finished / "parts.csv", "--out", tmp_path / "p.csv")
    refused(result, "model.safetensors", "damaged")
    assert not (tmp_path / "p.csv").exists()


# ---------------------------------------------------------------- predict


def test_inputs_that_cannot_be_read_are_named_and_the_rest_is_predicted(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_bytes(b"\x00\xff\x00")
    result = call(
        "predict", finished / "run", tmp_path / "broken.csv", finished / "parts.csv", "--out", tmp_path / "p.csv"
    )
    assert result.exit_code == 0, result.output
    assert "broken.csv" in result.stderr
    assert len(pd.read_csv(tmp_path / "p.csv")) == 150
    alone = call("predict", finished / "run", tmp_path / "broken.csv", "--out", tmp_path / "q.csv")
    refused(alone, "none of the inputs")
    assert not (tmp_path / "q.csv").exists()


def test_predictions_need_a_known_ending(finished: Path) -> None:
    refused(call("predict", finished / "run", finished / "parts.csv", "--out", "p.xlsx"), ".csv or .parquet")
