from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import AdamW, AdaptiveClip, Batch, Cnn, Mlp, NoClipping, ResNet, Sgd
from fieldcraft.tips.gradient_clipping import DEEP, LARGE_BATCH, LARGE_BATCH_SHARE, SHARE, TIP

BARE = ResNet(norm="none", depths=(2, 2, 2))


def plan(*networks, optimiser=None, batch=128):
    found = with_rungs(start(CIFAR10), *networks)
    return replace(found, optimiser=optimiser or Sgd(), batch=Batch(size=batch))


@pytest.mark.parametrize(("batch", "share"), [(128, SHARE), (LARGE_BATCH, LARGE_BATCH_SHARE)])
def test_deep_networks_without_norms_are_clipped_by_unit(batch, share):
    assert applied(TIP, CIFAR10, plan(BARE, batch=batch)).clipping == AdaptiveClip(share=share)


def test_the_depth_decides():
    below, above = (Cnn(norm="none", widths=(8,) * (layers - 1)) for layers in (DEEP - 1, DEEP))
    assert f"fewer than {DEEP}" in skipped(TIP, CIFAR10, plan(below))
    assert applied(TIP, CIFAR10, plan(above)).clipping != NoClipping()


def test_norms_and_dividing_optimisers_need_none():
    assert "norms hold" in skipped(TIP, CIFAR10, plan(ResNet(depths=(4, 4, 4)), Mlp()))
    assert "divide" in skipped(TIP, CIFAR10, plan(BARE, optimiser=AdamW()))


def test_ones_own_network_hears_of_the_way_to_set_it():
    assert "--set clipping.kind" in skipped(TIP, CIFAR10, plan(OWN))
    skipped(TIP, CIFAR10, start(CIFAR10))
