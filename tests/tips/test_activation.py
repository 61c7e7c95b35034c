import pytest
from tests.tips.known_briefs import CIFAR10, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import Cnn, Linear, Mlp, ResNet
from fieldcraft.tips.activation import TIP


@pytest.mark.parametrize(
    "network", [Cnn(activation="tanh"), ResNet(activation="sigmoid"), Mlp(activation="identity"), Mlp()]
)
def test_everything_of_ours_is_rectified(network):
    plan = applied(TIP, CIFAR10, with_rungs(start(CIFAR10), network, OWN))
    assert plan.ladder.rungs[0].network.activation == "relu"
    assert plan.ladder.rungs[1].network == OWN


def test_the_reason_counts_the_deepest_network():
    plan = with_rungs(start(CIFAR10), Cnn(widths=(8, 8), depth=2), ResNet(widths=(8, 8, 8), depths=(1, 0, 1)))
    assert TIP.decide(CIFAR10, plan).because.startswith("7 activations")


@pytest.mark.parametrize("network", [Linear(), OWN])
def test_it_stays_out_where_there_are_none(network):
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), network))
