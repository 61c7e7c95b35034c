from dataclasses import replace

from tests.tips.known_briefs import CIFAR10, applied, skipped, start, with_machine

from fieldcraft.plan.schema import Execution
from fieldcraft.tips.allocator import TIP


def test_a_process_that_was_started_with_it_uses_it():
    assert applied(TIP, CIFAR10, start(CIFAR10)).execution.allocator == "tuned"


def test_any_other_process_is_told_how():
    known = with_machine(CIFAR10, tuned_start=False)
    assert "process start" in skipped(TIP, known, start(known))


def test_devices_keep_their_own_memory():
    skipped(TIP, CIFAR10, replace(start(CIFAR10), execution=Execution(device="cuda")))
