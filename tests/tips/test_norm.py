from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import Batch, Cnn, Linear, Mlp, ResNet
from fieldcraft.tips.norm import LEAST_BATCH, TIP


def normed(batch):
    networks = Cnn(norm="none", norm_place="after-activation"), ResNet(norm="none"), Mlp(norm="none"), OWN
    plan = replace(with_rungs(start(CIFAR10), *networks), batch=batch)
    *ours, own = (rung.network for rung in applied(TIP, CIFAR10, plan).ladder.rungs)
    assert own == OWN
    assert ours[0].norm_place == ours[1].norm_place == "before-activation"
    return [network.norm for network in ours]


@pytest.mark.parametrize(
    ("batch", "norms"),
    [
        (Batch(size=LEAST_BATCH), ["batch", "batch", "batch"]),
        (Batch(size=LEAST_BATCH - 1), ["group", "group", "layer"]),
        (Batch(size=128, micro=LEAST_BATCH), ["batch", "batch", "batch"]),
        (Batch(size=128, micro=LEAST_BATCH - 1), ["group", "group", "layer"]),
    ],
)
def test_the_samples_that_are_together_decide(batch, norms):
    assert normed(batch) == norms


@pytest.mark.parametrize("network", [Linear(), OWN])
def test_it_stays_out_where_nothing_could_be_normalised(network):
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), network))
