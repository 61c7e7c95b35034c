from dataclasses import replace

from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, DIGITS, applied, skipped, start, with_rungs, with_train

from fieldcraft.build.network import build_network
from fieldcraft.plan.schema import Augment, Cnn, Initialisation, Mlp, ResNet
from fieldcraft.tips import dropout, stochastic_depth
from fieldcraft.tips.rough import weights

LARGE = ResNet(widths=(32, 64, 128), depths=(1, 0, 1))


def test_many_weights_and_passes_without_augmentation_get_a_little():
    plan = applied(dropout.TIP, DIGITS, with_rungs(start(DIGITS), Cnn(widths=(4, 8)), LARGE))
    assert [rung.network.dropout for rung in plan.ladder.rungs] == [0.0, dropout.SHARE]


def test_augmentation_samples_and_tables_leave_it_off():
    plan = with_rungs(start(DIGITS), LARGE)
    moved = replace(plan, input=replace(plan.input, augment=Augment(crop_px=1)))
    assert "augmentation" in skipped(dropout.TIP, DIGITS, moved)
    assert "weights a sample" in skipped(dropout.TIP, with_train(DIGITS, 100_000), plan)
    assert "no convolutions" in skipped(dropout.TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))


def test_weights_are_those_of_the_network_built():
    for network in (Cnn(norm="none"), Cnn(depth=3), LARGE, ResNet(depths=(2, 1, 0), kernel=5), Mlp(norm="none")):
        module = build_network(
            network, shape=(1, 8, 8), outputs=10, initialisation=Initialisation(), seed=0, name="counted"
        )
        counted = sum(weight.numel() for weight in module.parameters() if weight.ndim > 1)
        assert weights(network, DIGITS, start(DIGITS).input) == counted


def test_branches_are_dropped_in_deep_networks_that_train_for_long():
    deep = ResNet(depths=(2, 3, 3))
    plan = applied(stochastic_depth.TIP, DIGITS, with_rungs(start(DIGITS), LARGE, deep))
    assert [rung.network.drop_path for rung in plan.ladder.rungs] == [0.0, stochastic_depth.SHARE]
    assert "passes" in skipped(stochastic_depth.TIP, CIFAR10, with_rungs(start(CIFAR10), deep))
    assert "2 residual blocks" in skipped(stochastic_depth.TIP, DIGITS, with_rungs(start(DIGITS), LARGE))
    assert "no network" in skipped(stochastic_depth.TIP, DIGITS, with_rungs(start(DIGITS), Cnn()))
