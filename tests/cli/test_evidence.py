"""`fieldcraft evidence` at the shell: tables, JSON, messages."""

import json
from pathlib import Path

import pytest
from tests.proof.made_up_evidence import proof_folder
from tests.report.made_up_proof import EFFECTS, Asked, made_up
from typer.testing import CliRunner, Result

from fieldcraft.cli.app import app
from fieldcraft.proof.evidence import VARIABLE, Store


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evidence", *(str(one) for one in arguments)])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "evidence"))
    monkeypatch.setattr("fieldcraft.proof.evidence.ours", lambda: Store(tmp_path / "ours"))
    return proof_folder(tmp_path / "proof", made_up())


def test_filing_says_how_much_is_new(folder: Path, tmp_path: Path) -> None:
    assert f"{len(EFFECTS)} verdicts filed in {tmp_path / 'evidence'}." in call("add", folder).output
    assert f"Nothing new: all {len(EFFECTS)} verdicts" in call("add", folder).output


def test_the_tables_show_sets_and_sums(folder: Path) -> None:
    call("add", folder, "--name", "digits")
    text = call().output
    for name in EFFECTS:
        (row, total) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        assert "digits" in row and "accuracy" in row
        assert "points (too few sets for an interval) over 1 set" in total
    one = call("--tip", "one-cycle").output
    assert "one-cycle" in one and "weight-decay" not in one


def test_json_holds_everything(folder: Path) -> None:
    call("add", folder)
    found = json.loads(call("--json").output)
    assert found["schema"] == 1
    assert {one["tip"] for one in found["lines"]} == {one["tip"] for one in found["tips"]} == set(EFFECTS)


def test_an_empty_store_says_so() -> None:
    assert call().output == "No proof is on file.\n"
    assert call("--tip", "dropout").output == "No proof is on file that tested dropout.\n"


def test_mistakes_end_with_a_message_and_exit_code_2(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    bad = proof_folder(tmp_path / "bad", made_up(Asked(poison=0.004)))
    newer = proof_folder(tmp_path / "newer", made_up())
    text = (newer / "proof.json").read_text()
    (newer / "proof.json").write_text(text.replace('"schema": 1', '"schema": 99', 1))
    cases = {
        ("add", tmp_path / "nowhere"): "is no folder",
        ("add", tmp_path / "evidence"): "holds no proof",
        ("add", bad): "not to be trusted",
        ("add", newer): "newer fieldcraft",
        ("--tip", "dropuot"): "did you mean",
    }
    for arguments, message in cases.items():
        done = call(*arguments)
        assert done.exit_code == 2, done.output
        assert message in " ".join(done.output.split())
