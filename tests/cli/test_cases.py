"""`fieldcraft data`, `audit` and `fingerprint` on images with masks."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tests.data.made_up_cases import ball, pictures, save, volumes
from typer.testing import CliRunner, Result

from fieldcraft.cli.app import app
from fieldcraft.records.facts import ReferenceStep
from fieldcraft.verbs import machine

STEP = ReferenceStep(
    operation="convolution", device="cpu", precision="fp32", channels_last=False, threads=1, ms=2.0, gflops=50.0
)


@pytest.fixture(autouse=True)
def no_time_for_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reference steps have tests of their own."""
    monkeypatch.setattr(machine, "reference_steps", lambda facts: (STEP,))
    monkeypatch.setattr(machine, "kept_steps", lambda facts, cache: ())
    monkeypatch.setattr(machine, "keep_steps", lambda steps, facts, cache: None)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_data_says_what_a_folder_is_and_void_takes_a_number_away(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "cells")
    for file in (folder / "masks").iterdir():
        mask = ball(16, 20)
        mask[0] = 7
        save(file, mask)
    told = call("data", folder).output
    assert "read as image-masks" in told and "3 classes of voxels" in told
    assert "2 classes of voxels" in call("data", folder, "--void", 7).output


def test_audit_ends_with_3_and_names_the_case(tmp_path: Path) -> None:
    folder = volumes(tmp_path / "scans")
    assert call("audit", folder).exit_code == 0
    save(folder / "labelsTr/case_02.nii.gz", ball(10, 12, 9))
    done = call("audit", folder)
    assert done.exit_code == 3 and "shape-mismatch" in done.output and "case_02" in done.output
    found = json.loads(call("audit", folder, "--json").stdout)
    assert [one["samples"] for one in found["complaints"]] == [["case_02"]]


def test_fingerprint_tells_the_facts_and_writes_the_page(tmp_path: Path) -> None:
    folder = volumes(tmp_path / "scans", 8, affine=np.diag([1.0, 1.0, 4.0, 1.0]))
    done = call("fingerprint", folder, "--html", tmp_path / "page.html")
    assert done.exit_code == 0, done.output
    assert "8 samples, 2 segmentation outputs" in done.output
    assert re.search(r"Largest spacing over smallest:? +4\b", done.output), done.output
    page = (tmp_path / "page.html").read_text()
    assert "images with masks" in page and "Class foreground" in page
    facts = json.loads(call("fingerprint", folder, "--json").stdout)
    assert facts["data"]["inputs"]["kind"] == "cases" and facts["data"]["target"]["counts"]["value"] == [5, 5]


def test_bad_cases_stop_a_fingerprint(tmp_path: Path) -> None:
    folder = volumes(tmp_path / "scans")
    save(folder / "labelsTr/case_02.nii.gz", ball(10, 12, 9))
    done = call("fingerprint", folder)
    assert done.exit_code == 2 and "case_02: the mask has 10 x 12 x 9 voxels" in done.output
