import pytest
from tests.tips.known_briefs import CIFAR10, applied, start, with_machine

from fieldcraft.tips.threads import MOST, TIP


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (MOST, MOST), (MOST + 1, MOST)])
def test_one_thread_a_core_up_to_a_bound(cores, threads):
    known = with_machine(CIFAR10, cores=cores)
    assert applied(TIP, known, start(known)).execution.threads == threads
