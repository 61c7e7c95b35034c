from dataclasses import replace

import pytest
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, DIGITS, MNIST, OWN, start, with_budget, with_machine

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.build.network import build_network
from fieldcraft.plan.schema import Cnn, Initialisation, Linear, Mlp, ResNet
from fieldcraft.records import operations
from fieldcraft.tips.rough import activations, affordable_macs, enough_epochs, likely_epochs, macs, training_seconds


def test_training_seconds_leave_a_fifth_and_a_reserve():
    assert training_seconds(BREAST_CANCER, 60.0) == pytest.approx(0.8 * 60 - 0.08 * 60)
    assert training_seconds(CIFAR10, 60.0) == pytest.approx(0.83 * 60 - 0.08 * 60)
    assert training_seconds(BREAST_CANCER, 50.0) == pytest.approx(40 - 4) == pytest.approx(0.72 * 50)
    assert training_seconds(BREAST_CANCER, 10.0) == pytest.approx(4)
    assert training_seconds(BREAST_CANCER, 4.0) == 0


@pytest.mark.parametrize(("train", "epochs"), [(1, 60), (1_600, 60), (2_000, 50), (20_000, 6), (1_000_000, 6)])
def test_enough_epochs(train, epochs):
    assert enough_epochs(train) == epochs


def test_without_a_limit_the_passes_are_fixed():
    assert likely_epochs(with_budget(MNIST, None)) == 30
    assert likely_epochs(with_budget(DIGITS, None)) == 60
    assert likely_epochs(MNIST) == enough_epochs(51_000)


def test_resnet_9_has_the_multiply_adds_of_its_layers_written_out():
    network = ResNet(widths=(32, 64, 128, 256), depths=(0, 1, 0, 1))
    by_hand = (
        9 * 3 * 32 * 32**2
        + 9 * 32 * 64 * 32**2
        + 2 * 9 * 64 * 64 * 16**2
        + 9 * 64 * 128 * 16**2
        + 9 * 128 * 256 * 8**2
        + 2 * 9 * 256 * 256 * 4**2
        + 256 * 10
    )
    assert macs(network, CIFAR10, start(CIFAR10).input) == by_hand


def test_strides_save_three_quarters_of_a_halving_convolution():
    pooled, strided = (
        macs(Cnn(widths=(8, 16), downsample=how), CIFAR10, start(CIFAR10).input) for how in ("max-pool", "stride")
    )
    assert pooled - strided == 9 * 8 * 16 * (32**2 - 16**2)


def test_unpadded_maps_shrink():
    network = Cnn(widths=(8, 16), kernel=3, padding="none")
    assert macs(network, CIFAR10, start(CIFAR10).input) == 9 * 3 * 8 * 30**2 + 9 * 8 * 16 * 28**2 + 16 * 10
    assert activations(network, CIFAR10, start(CIFAR10).input) == 8 * 30**2 + 16 * 28**2 + 10


def test_rows_and_other_networks():
    table = start(BREAST_CANCER).input
    assert macs(Mlp(widths=(64, 32)), BREAST_CANCER, table) == 30 * 64 + 64 * 32 + 32 * 2
    assert macs(Linear(), BREAST_CANCER, table) == 60
    assert macs(Linear(), CIFAR10, start(CIFAR10).input) == 32 * 32 * 3 * 10
    assert macs(OWN, CIFAR10, start(CIFAR10).input) == 0


def test_what_is_affordable_grows_with_time_and_cores():
    assert affordable_macs(with_budget(CIFAR10, 360.0)) > affordable_macs(CIFAR10)
    assert affordable_macs(with_machine(CIFAR10, cores=4)) == pytest.approx(2 * affordable_macs(CIFAR10))
    assert affordable_macs(with_machine(CIFAR10, gpu="a GPU", gpu_memory_mib=16_000)) > 10 * affordable_macs(CIFAR10)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize(
    "fields", [{}, {"head": "flatten"}, {"head": "pyramid", "levels": (1, 3)}, {"kernel": 5, "downsample": "stride"}]
)
@pytest.mark.parametrize(
    "family", [Cnn(widths=(8, 12), depth=2), ResNet(widths=(8, 12), depths=(1, 2), squeeze_excitation=2)]
)
def test_multiply_adds_are_those_that_anatomy_counts_in_the_network(family, fields, separable):
    network = replace(family, separable=separable, **fields)
    net = build_network(network, shape=(3, 32, 32), outputs=10, initialisation=Initialisation(), seed=0, name="a")
    rows = look(net.eval(), as_inputs((3, 32, 32))).rows
    counted = sum(
        row.cost.macs for row in rows if isinstance(row.operation, operations.Convolution | operations.Linear)
    )
    assert macs(network, CIFAR10, start(CIFAR10).input) == counted
