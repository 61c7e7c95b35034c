"""`fieldcraft audit`, --skip-bad and --relabel at the shell: messages, exit codes, JSON."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.verbs.made_data import plan
from typer.testing import CliRunner, Result

from fieldcraft.cli.app import app
from fieldcraft.plan.schema import ImageInput
from fieldcraft.plan.toml import to_toml


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "photos"
    rng = np.random.default_rng(0)
    for name, level in (("cat", 60), ("dog", 180)):
        (folder / name).mkdir(parents=True)
        for number in range(25):
            pixels = np.clip(rng.normal(level, 40, (9, 9, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of ten steps."""
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    small = plan(steps=10)
    path.write_text(to_toml(replace(small, input=ImageInput(height=9, width=9, channels=3)), ()))
    return path


@pytest.fixture
def spoilt(sound: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "spoilt"
    shutil.copytree(sound, folder)
    whole = (folder / "cat" / "3.png").read_bytes()
    (folder / "cat" / "3.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (9, 9), (7, 7, 7)).save(folder / "dog" / "flat.png")
    return folder


def test_sound_data_exits_with_0(sound: Path) -> None:
    result = call("audit", sound)
    assert result.exit_code == 0 and "Nothing wrong was found with 50 samples." in result.stdout


def test_what_would_spoil_the_result_exits_with_3(spoilt: Path) -> None:
    result = call("audit", spoilt)
    assert result.exit_code == 3
    assert "cat/3.png" in result.stdout and "truncated" in result.stdout
    assert "1 of 51 samples would spoil the result; 1 more are worth a look." in result.stdout


def test_json_holds_all_and_keeps_the_exit_code(spoilt: Path, sound: Path) -> None:
    result = call("audit", spoilt, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 3 and found["schema"] == 1 and found["samples"] == 51
    assert {one["kind"]: one["samples"] for one in found["complaints"]} == {
        "unreadable": ["cat/3.png"], "constant": ["dog/flat.png"],
    }  # fmt: skip
    assert call("audit", sound, "--json").exit_code == 0


def test_no_data_is_the_users_mistake(tmp_path: Path) -> None:
    result = call("audit", tmp_path / "none")
    assert result.exit_code == 2 and "does not exist" in result.stderr


def test_fit_stops_and_says_how_to_go_on_then_goes_on_without(spoilt: Path, short: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    refused = call("fit", spoilt, "--out", run, "--budget", "none", "--plan", short)
    assert refused.exit_code == 2 and not run.exists()
    assert "cat/3.png: damaged" in refused.stderr and "--skip-bad" in refused.stderr
    done = call("fit", spoilt, "--out", run, "--budget", "none", "--plan", short, "--skip-bad")
    assert done.exit_code == 0, done.stderr
    assert "hold one value only" in done.stderr and "left out, as --skip-bad says: 1 sample" in done.stderr
    found = json.loads((run / "audit.json").read_text())
    assert found["skipped"] == ["cat/3.png"]
    named = {
        name
        for part in ("train", "validation", "test")
        for name in (run / "splits" / f"{part}.txt").read_text().split()
    }
    assert len(named) == 50 and "cat/3.png" not in named
    page = (run / "report.html").read_text()
    assert "What is wrong with the data" in page and "dog/flat.png" in page
    again = call("fit", spoilt, "--out", run, "--budget", "none", "--plan", short, "--skip-bad")
    assert "nothing to do" in again.stderr


def test_plan_stops_too(spoilt: Path, tmp_path: Path) -> None:
    result = call("plan", spoilt, "--out", tmp_path / "plan.toml", "--budget", "none")
    assert result.exit_code == 2 and "cat/3.png" in result.stderr and not (tmp_path / "plan.toml").exists()


def test_corrected_labels_make_another_run(sound: Path, short: Path, tmp_path: Path) -> None:
    fixes = tmp_path / "fixes.csv"
    fixes.write_text("id,label\n" + "".join(f"cat/{number}.png,dog\n" for number in range(12)))
    run, plain = tmp_path / "run", tmp_path / "plain"
    assert call("fit", sound, "--out", plain, "--budget", "none", "--plan", short).exit_code == 0
    done = call("fit", sound, "--out", run, "--budget", "none", "--plan", short, "--relabel", fixes)
    assert done.exit_code == 0, done.stderr
    asked, before = (json.loads((one / "provenance.json").read_text())["request"] for one in (run, plain))
    test = set((plain / "splits" / "test.txt").read_text().split())
    changed = {f"cat/{number}.png" for number in range(12)} - test
    assert {tuple(one) for one in asked["relabel"]} == {(name, "dog") for name in changed}
    assert before["relabel"] == [] and asked["data_digest"] != before["data_digest"]
    assert (run / "splits" / "test.txt").read_text() == (plain / "splits" / "test.txt").read_text()
    assert json.loads((run / "audit.json").read_text())["relabelled"] == len(changed)
    assert ("stay as they are" in done.stderr) == (len(changed) < 12)
    other = call("fit", sound, "--out", plain, "--budget", "none", "--plan", short, "--relabel", fixes)
    assert other.exit_code == 2 and "--relabel" in other.stderr


def test_a_fix_of_nothing_known_names_its_line(sound: Path, tmp_path: Path) -> None:
    fixes = tmp_path / "fixes.csv"
    fixes.write_text("id,label\ncat/1.png,dog\ncat/99.png,dog\n")
    for command in ("audit", "fit"):
        result = call(command, sound, "--relabel", fixes)
        assert result.exit_code == 2 and "fixes.csv, line 3" in result.stderr
