from tests.tips.known_briefs import CIFAR10, applied, skipped, start, with_machine

from fieldcraft.tips.device import TIP


def test_a_gpu_trains_when_there_is_one():
    known = with_machine(CIFAR10, gpu="a GPU", gpu_memory_mib=16_000)
    assert applied(TIP, known, start(known)).execution.device == "cuda"
    assert "16,000 MiB" in TIP.decide(known, start(known)).because


def test_without_one_it_stays_out():
    assert "2 cores" in skipped(TIP, CIFAR10, start(CIFAR10))
