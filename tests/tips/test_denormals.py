from dataclasses import replace

from tests.tips.known_briefs import CIFAR10, applied, skipped, start

from fieldcraft.plan.schema import Execution
from fieldcraft.tips.denormals import TIP


def test_processors_flush_them():
    assert applied(TIP, CIFAR10, start(CIFAR10)).execution.flush_denormals


def test_devices_need_not():
    skipped(TIP, CIFAR10, replace(start(CIFAR10), execution=Execution(device="cuda")))
