"""The machine: what it has, and what reference steps take on it, measured once and kept."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import torch

from fieldcraft.errors import RunError
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.fingerprint.reference_steps import LIMIT_S, keep_steps, kept_steps, reference_steps
from fieldcraft.records.facts import MachineFacts

SHARE = 0.01
"""Of a budget that the reference steps may take; smaller budgets do with what was kept, or without."""


BUSY = 0.5
"""Load of a minute over cores from which on a table is not kept."""


def known_machine(cache: Path, *, budget_s: float | None = None, measure: bool = False) -> MachineFacts:
    """Facts of the machine, with its reference steps where they are kept, wanted, or small beside the budget."""
    machine = machine_facts()
    steps = kept_steps(machine, cache)
    if not steps and (measure or (budget_s is not None and budget_s * SHARE >= LIMIT_S)):
        busy = psutil.getloadavg()[0] > BUSY * machine.cores  # by others: what is measured now says little of later
        torch.set_flush_denormal(True)  # before torch makes its threads, or they never do; plans mostly ask for it
        steps = reference_steps(machine)
        if not busy:
            with suppress(RunError):  # a home that cannot be written to costs the time again, nothing else
                keep_steps(steps, machine, cache)
    return replace(machine, reference=steps)
