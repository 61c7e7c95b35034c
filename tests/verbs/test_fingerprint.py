"""The fingerprint from Python and from the shell, on real digits and a real table."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.strict_html import read_strictly
from typer.testing import CliRunner

import fieldcraft as fc
from fieldcraft.cli.app import app
from fieldcraft.errors import BudgetError, DataError
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.records.facts import MachineFacts, ReferenceStep
from fieldcraft.verbs import machine
from fieldcraft.verbs.fingerprint import Fingerprint

STEP = ReferenceStep(
    operation="convolution", device="cpu", precision="fp32", channels_last=False, threads=1, ms=2.0, gflops=50.0
)


@pytest.fixture(scope="module", autouse=True)
def no_time_for_the_machine() -> None:
    """Reference steps have tests of their own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(machine, "reference_steps", lambda facts: (STEP,))
    patch.setattr(machine, "kept_steps", lambda facts, cache: ())
    patch.setattr(machine, "keep_steps", lambda steps, facts, cache: None)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Fingerprint:
    return fc.facts_of("digits", limit=6.0, cache=tmp_path_factory.mktemp("cache"))


def test_digits_are_what_they_are_known_to_be(digits: Fingerprint) -> None:
    deep = digits.facts.data.deep
    assert deep.topology is not None and deep.topology.dimension is not None
    assert 6 < deep.topology.dimension.value < 13
    assert deep.topology.neighbours.value > 0.95 > 0.2 > deep.topology.chance
    assert deep.noise is not None and deep.noise.labels is not None and deep.noise.labels.value < 0.05
    assert digits.facts.machine.reference == (STEP,)


def test_the_page_is_sound_and_holds_what_was_found(digits: Fingerprint, tmp_path: Path) -> None:
    page = digits.write_page(tmp_path / "page.html").read_text()
    reader = read_strictly(page)
    assert reader.faults == []
    text = " ".join("".join(reader.text).split())
    for words in ("fieldcraft fingerprint", "Intrinsic dimension", "Reference steps", "convolution"):
        assert words in text


def test_tables_and_numbers_have_facts_too(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 4)).astype(np.float32)
    found = fc.facts_of((x, (x[:, 0] + 0.1 * random.normal(size=300)).astype(np.float32)), limit=3.0, cache=tmp_path)
    deep = found.facts.data.deep
    assert deep.symmetry is None and deep.geometry is None
    assert deep.topology is not None and deep.topology.separability.value > 0.8
    assert deep.noise is None or deep.noise.labels is None


def test_the_command_prints_every_fact_with_its_sample(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["fingerprint", "digits", "--limit", "2s", "--html", str(tmp_path / "p.html")])
    assert done.exit_code == 0, done.output
    assert "Intrinsic dimension" in done.output and "training samples" in done.output
    assert (tmp_path / "p.html").exists()
    told = CliRunner().invoke(app, ["fingerprint", "digits", "--limit", "1s", "--json"])
    assert json.loads(told.stdout)["data"]["samples"] == 1797


@pytest.mark.parametrize("limit", ["0s", "soon"])
def test_a_limit_that_is_no_time(limit: str) -> None:
    with pytest.raises(BudgetError):
        fc.facts_of("digits", limit=limit)


def test_data_that_is_not_there() -> None:
    with pytest.raises(DataError):
        fc.facts_of("no/such/folder")


def test_a_short_limit_says_what_was_left_out(tmp_path: Path) -> None:
    deep = fc.facts_of("digits", limit=0.05, cache=tmp_path).facts.data.deep
    assert any("no time was left" in reason for reason in deep.left_out)


# ---------------------------------------------------------------- the machine's own table


def facts() -> MachineFacts:
    return replace(machine_facts(), cores=64)


def test_the_table_is_measured_when_wanted_or_small_beside_the_budget(tmp_path: Path) -> None:
    assert machine.known_machine(tmp_path).reference == ()
    assert machine.known_machine(tmp_path, budget_s=60.0).reference == ()
    assert machine.known_machine(tmp_path, budget_s=3600.0).reference == (STEP,)
    assert machine.known_machine(tmp_path, measure=True).reference == (STEP,)


def test_what_was_measured_beside_others_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []
    monkeypatch.setattr(machine, "keep_steps", lambda steps, facts, cache: kept.append(steps))
    monkeypatch.setattr(machine, "machine_facts", facts)
    for load, times in ((40.0, 0), (1.0, 1)):
        monkeypatch.setattr(machine.psutil, "getloadavg", lambda load=load: (load, load, load))
        machine.known_machine(tmp_path, measure=True)
        assert len(kept) == times
