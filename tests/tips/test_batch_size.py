import pytest
from tests.tips.known_briefs import CIFAR10, DIGITS, applied, cnn_plan, start, with_machine, with_rungs, with_train

from fieldcraft.plan.schema import Batch, Cnn
from fieldcraft.tips.batch_size import LARGEST, SMALLEST, TIP
from fieldcraft.tips.rough import activations


@pytest.mark.parametrize(
    ("train", "size"),
    [
        (1, 16),
        (199, 16),
        (200, 32),
        (1_999, 32),
        (2_000, 64),
        (4_999, 64),
        (5_000, 128),
        (19_999, 128),
        (20_000, 256),
        (99_999, 256),
        (100_000, LARGEST),
        (1_000_000, LARGEST),
    ],
)
def test_it_grows_with_the_samples(train, size):
    known = with_train(DIGITS, train)
    assert applied(TIP, known, start(known)).batch.size == size


def test_it_is_halved_until_half_of_the_free_memory_holds_it():
    plan = cnn_plan(CIFAR10, widths=(64, 128))
    numbers = activations(plan.ladder.rungs[0].network, CIFAR10, plan.input)
    enough = 2 * 128 * numbers * 16 // 2**20 + 1
    assert applied(TIP, with_machine(CIFAR10, free_mib=enough), plan).batch.size == 128
    short = TIP.decide(with_machine(CIFAR10, free_mib=enough - 2), plan)
    assert short.plan.batch.size == 64
    assert "MiB" in short.because
    assert applied(TIP, with_machine(CIFAR10, free_mib=1), plan).batch.size == SMALLEST


def test_the_largest_network_counts():
    small, large = Cnn(widths=(8,)), Cnn(widths=(512,))
    known = with_machine(CIFAR10, free_mib=1_000)
    assert applied(TIP, known, with_rungs(start(known), small, large)).batch.size < 128
    assert applied(TIP, known, with_rungs(start(known), small)).batch.size == 128


def test_on_a_gpu_its_memory_counts():
    known = with_machine(CIFAR10, free_mib=1, gpu="a GPU", gpu_memory_mib=80_000)
    assert applied(TIP, known, cnn_plan(known)).batch.size == 128


@pytest.mark.parametrize(("micro", "kept"), [(None, None), (4, 4), (1_000, 32)])
def test_parts_are_no_larger_than_the_whole(micro, kept):
    plan = start(DIGITS)
    plan = type(plan)(task=plan.task, input=plan.input, batch=Batch(micro=micro))
    assert applied(TIP, DIGITS, plan).batch == Batch(size=32, micro=kept)
