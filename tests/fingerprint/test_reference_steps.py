"""Reference steps: which there are, that they say what was timed, and that they are kept for one machine."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.tips.known_briefs import MACHINE

from fieldcraft.fingerprint import reference_steps as module
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.fingerprint.reference_steps import MACS, OPERATIONS, keep_steps, kept_steps, reference_steps, settings
from fieldcraft.records.facts import MachineFacts


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations of a size that takes no time."""
    for name, value in {"BATCH": 4, "CHANNELS": 8, "SIDE": 8, "WIDE": 16, "STEPS": 4, "UNITS": 8, "TOKENS": 8}.items():
        monkeypatch.setattr(module, name, value)


def machine() -> MachineFacts:
    """One core of this one: without units for bf16 not every operation knows it."""
    return replace(machine_facts(), gpu=None, cores=1)


@pytest.mark.usefixtures("small")
def test_every_setting_runs_and_is_timed() -> None:
    before = (torch.get_num_threads(), torch.get_rng_state())
    steps = reference_steps(machine(), limit_s=60.0)
    assert {step.operation for step in steps} == set(OPERATIONS)
    assert len(steps) == len(list(settings(machine()))) == (14 if machine().bf16 else 7)
    for step in steps:
        assert step.ms > 0
        assert step.gflops == pytest.approx(6 * MACS[step.operation] / step.ms / 1e6)
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])


def test_settings_follow_what_the_machine_has() -> None:
    plain = list(settings(replace(machine(), bf16=False)))
    assert {setting.precision for setting in plain} == {"fp32"}
    assert {setting.threads for setting in settings(replace(machine(), cores=8))} == {1, 8}
    assert {setting.device for setting in settings(replace(machine(), gpu="made-up"))} == {"cuda"}


def test_multiply_adds_are_those_that_are_counted_by_torch() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    for setting in settings(machine()):
        if setting.operation != "recurrent" and setting.precision == "fp32" and not setting.channels_last:
            forward, inputs = module._operation(setting, torch.device("meta"))
            with FlopCounterMode(display=False) as counter:
                forward(inputs)
            assert counter.get_total_flops() == 2 * MACS[setting.operation], setting.operation


@pytest.mark.usefixtures("small")
def test_the_table_is_kept_for_the_machine_it_was_measured_on(tmp_path: Path) -> None:
    steps = reference_steps(machine(), limit_s=2.0)
    keep_steps(steps, machine(), tmp_path)
    assert kept_steps(machine(), tmp_path) == steps
    assert kept_steps(replace(machine(), processor="another"), tmp_path) == ()
    assert kept_steps(MACHINE, tmp_path) == ()
    for path in (tmp_path / "machines").iterdir():
        path.write_text("{")
    assert kept_steps(machine(), tmp_path) == ()
