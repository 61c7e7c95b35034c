from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, OWN, applied, settle, skipped, start, with_rungs

from fieldcraft.nn.blocks.norm import groups_for
from fieldcraft.plan.schema import Batch, Cnn, Linear, Mlp, ResNet
from fieldcraft.tips.norm import LEAST_IMAGES, LEAST_ROWS, TIP, TWO_GROUPS


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
        (Batch(size=LEAST_ROWS), ["batch", "batch", "batch"]),
        (Batch(size=LEAST_ROWS - 1), ["batch", "batch", "layer"]),
        (Batch(size=LEAST_IMAGES), ["batch", "batch", "layer"]),
        (Batch(size=LEAST_IMAGES - 1), ["group", "group", "layer"]),
        (Batch(size=128, micro=LEAST_IMAGES), ["batch", "batch", "layer"]),
        (Batch(size=128, micro=LEAST_IMAGES - 1), ["group", "group", "layer"]),
    ],
)
def test_the_samples_that_are_together_decide(batch, norms):
    assert normed(batch) == norms


@pytest.mark.parametrize("network", [Linear(), OWN])
def test_it_stays_out_where_nothing_could_be_normalised(network):
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), network))


def test_images_whose_stages_have_one_group_get_layer_norm_by_its_name():
    plan = replace(with_rungs(start(CIFAR10), Cnn(widths=(4, 7)), Cnn(widths=(4, 8))), batch=Batch(size=4))
    assert [rung.network.norm for rung in applied(TIP, CIFAR10, plan).ladder.rungs] == ["layer", "group"]
    decision, _ = settle(TIP, CIFAR10, plan)
    assert "4 samples pass at once, batch norm needs 8 images: layer norm and group norm" in decision.because


@pytest.mark.parametrize("channels", [1, 4, 7, 8, 12, 64])
def test_the_name_layer_stands_where_there_is_one_group(channels):
    assert (groups_for(channels) == 1) == (channels < TWO_GROUPS)
