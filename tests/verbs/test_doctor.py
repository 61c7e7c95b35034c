"""The doctor on real run folders, whole and broken, from Python and from the shell."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.verbs.made_data import images, plan
from typer.testing import CliRunner

import fieldcraft as fc
from fieldcraft.cli.app import app
from fieldcraft.errors import RunError
from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.records.finding import Severity


def at_rate(lr: float) -> Plan:
    made = plan(steps=120)
    return replace(made, ladder=replace(made.ladder, rungs=tuple(replace(rung, lr=lr) for rung in made.ladder.rungs)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    fc.fit(images(), at_rate(0.05), out=folder / "good")
    fc.fit(images(), at_rate(50.0), out=folder / "wild")
    return folder


def alarms(folder: Path) -> set[str]:
    return {finding.name for finding in fc.doctor(folder) if finding.severity is not Severity.INFO}


def test_a_rate_far_too_high_is_told_and_a_good_one_is_not(runs: Path) -> None:
    assert alarms(runs / "good") == set()
    assert {"large-updates", "loss-spikes"} & alarms(runs / "wild")


def test_the_run_keeps_what_the_doctor_says_and_the_report_shows_it(runs: Path) -> None:
    run = fc.Run(runs / "wild")
    assert run.results.findings == fc.doctor(runs / "wild")
    assert run.results.findings[0].remedy in run.report.read_text().replace("&#39;", "'")


def test_the_gap_is_kept_with_each_network(runs: Path) -> None:
    candidates = fc.Run(runs / "good").results.candidates
    gaps = [one.gap for one in candidates if one.kind == "rung"]
    assert gaps and all(gap is not None and 0 <= gap.training <= 1 for gap in gaps)
    assert all(
        gap.validation == pytest.approx(one.validation)
        for gap, one in zip(gaps, [one for one in candidates if one.kind == "rung"], strict=True)
    )


def test_the_command_says_what_to_change(runs: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", str(runs / "wild")])
    assert done.exit_code == 0
    assert "Change:" in done.output and "symptoms were looked for" in done.output
    found = json.loads(CliRunner().invoke(app, ["doctor", str(runs / "wild"), "--json"]).output)
    assert [one["code"] for one in found] == [finding.code for finding in fc.doctor(runs / "wild")]


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run folder"):
        fc.doctor(tmp_path)


def test_a_run_in_which_no_network_was_trained(tmp_path: Path) -> None:
    made = plan(steps=10)
    fc.fit(
        images(), replace(made, ladder=replace(made.ladder, rungs=(), baselines=("majority",))), out=tmp_path / "run"
    )
    with pytest.raises(RunError, match="no log of any network yet"):
        fc.doctor(tmp_path / "run")


def test_every_symptom_can_be_explained() -> None:
    for code, name in (("FC101", "vanishing-gradients"), ("FC112", "leaking-input")):
        page = fc.explain(code)
        assert name in page.splitlines()[0] and "seen in training" in page
        assert "Why:" in page


def test_a_mark_that_goes_with_the_class_is_a_leak(tmp_path: Path) -> None:
    """As a scanner's corner mark does; without it the images say nothing."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 2, 240)
    made = replace(at_rate(0.05), input=ImageInput(height=32, width=32, channels=1))
    pixels = random.integers(0, 200, (240, 32, 32)).astype(np.uint8)
    pixels[classes == 1, :3, :3] = 255
    fc.fit((pixels, classes), made, out=tmp_path / "run")
    (leak,) = [finding for finding in fc.doctor(tmp_path / "run") if finding.name == "leaking-input"]
    assert "block 1, 1" in leak.message
