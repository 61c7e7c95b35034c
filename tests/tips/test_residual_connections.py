import pytest
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import Cnn, Mlp, ResNet
from fieldcraft.tips.residual_connections import TIP, blocks


def test_deep_convolutions_become_residual_and_keep_the_rest():
    plain = Cnn(widths=(16, 32, 64, 128), depth=2, kernel=5, activation="silu", head="global-max", dropout=0.1)
    (rung,) = applied(TIP, CIFAR10, with_rungs(start(CIFAR10), plain)).ladder.rungs
    assert rung.network == ResNet(
        widths=plain.widths, depths=(0, 1, 0, 1), kernel=5, activation="silu", head="global-max", dropout=0.1
    )


@pytest.mark.parametrize("stages", range(1, 8))
def test_about_as_many_layers_as_before(stages):
    layers = stages + 2 * sum(blocks(stages))
    assert abs(layers - 2 * stages) <= 1
    assert blocks(stages)[-1] == 1


def test_the_small_network_stays_plain():
    small, large = Cnn(widths=(16, 32, 64, 128), depth=1), Cnn(widths=(16, 32), depth=2)
    rungs = applied(TIP, CIFAR10, with_rungs(start(CIFAR10), small, large)).ladder.rungs
    assert rungs[0].network == small
    assert isinstance(rungs[1].network, ResNet)


@pytest.mark.parametrize("network", [Cnn(widths=(16,), depth=2), Cnn(widths=(16,) * 6, depth=1), OWN])
def test_shallow_and_foreign_networks_stay(network):
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), network))


@pytest.mark.parametrize(("widths", "residual"), [((64, 64), False), ((64, 64, 64), True)])
def test_an_mlp_needs_three_layers(widths, residual):
    plan = with_rungs(start(BREAST_CANCER), Mlp(widths=widths))
    if residual:
        assert applied(TIP, BREAST_CANCER, plan).ladder.rungs[0].network.residual
    else:
        assert "2 layers" in skipped(TIP, BREAST_CANCER, plan)
