"""Saliency: the gradient where it is known, and a check that tells a trained map from an edge detector."""

import numpy as np
import torch
from torch import nn

from fieldcraft.prediction.saliency import randomisation_similarity, saliency, shuffled


def linear(weights):
    net = nn.Sequential(nn.Flatten(), nn.Linear(weights[0].numel(), len(weights), bias=False))
    with torch.no_grad():
        net[1].weight.copy_(weights.flatten(1))
    return net


def test_the_map_of_a_linear_network_is_its_weights():
    weights = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    images = torch.randn(6, 3, 5, 4, generator=torch.Generator().manual_seed(1))
    classes = torch.tensor([0, 1, 0, 1, 1, 0])
    found = saliency(linear(weights), images, classes)
    expected = weights[classes].abs().amax(dim=1)
    np.testing.assert_allclose(found, expected / expected.amax(dim=(1, 2), keepdim=True), rtol=1e-5)


def test_nothing_is_changed_and_the_same_seed_gives_the_same_map():
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3)
    )
    images, classes = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0])
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    first, second = saliency(net, images, classes), saliency(net, images, classes)
    similarity, _ = randomisation_similarity(net, images, classes)
    np.testing.assert_array_equal(first, second)
    assert net.training and -1 <= similarity <= 1
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(one.grad is None and one.requires_grad for one in net.parameters())
    assert images.grad is None


def test_maps_of_weights_are_unlike_those_of_shuffled_weights():
    weights = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    images, classes = torch.rand(4, 1, 16, 16), torch.tensor([0, 1, 0, 1])
    assert abs(randomisation_similarity(linear(weights), images, classes)[0]) < 0.2
    net = linear(weights)
    mixed, whole = (one[1].weight.detach().flatten().sort().values for one in (shuffled(net, 0), net))
    assert torch.equal(mixed, whole)


def test_an_edge_detector_is_found_out():
    class Square(nn.Module):
        def forward(self, x):
            total = (x**2).sum(dim=(1, 2, 3))
            return torch.stack([total, -total], dim=1)

    images = torch.randn(3, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    assert randomisation_similarity(Square(), images, torch.tensor([0, 1, 0]))[0] > 0.99
