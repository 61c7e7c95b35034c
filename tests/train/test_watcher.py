"""Looks inside a step: their numbers against plain arithmetic, and that they change nothing."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from fieldcraft.records.training import Look
from fieldcraft.train.watcher import EVERY, MOST_NUMBERS, Watcher, _thinned


def steps(net: nn.Module, watcher: Watcher | None, count: int = 4, rate: float = 0.1) -> list[torch.Tensor]:
    """A plain loop on fixed numbers; gives the losses."""
    torch.manual_seed(0)
    inputs, targets = torch.randn(16, 3, 8, 8), torch.arange(16) % 4
    optimiser = torch.optim.SGD(net.parameters(), lr=rate)
    losses = []
    for step in range(count):
        optimiser.zero_grad()
        if watcher is None:
            loss = nn.functional.cross_entropy(net(inputs), targets)
            loss.backward()
            optimiser.step()
        else:
            with watcher.step(step, targets):
                loss = nn.functional.cross_entropy(net(inputs), targets)
                loss.backward()
                optimiser.step()
        losses.append(loss.detach())
    return losses


def made_net() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(512, 4)
    )


def test_gradient_and_update_are_norms_over_the_norm_of_the_weight() -> None:
    net, looks = made_net(), list[Look]()
    before = {name: part.weight.detach().clone() for name, part in net.named_children() if hasattr(part, "weight")}
    steps(net, Watcher(net, name="n", planned=100, tell=looks.append), count=1, rate=0.1)
    (look,) = looks
    found = {layer.name: layer for layer in look.layers}
    for name in ("0", "4"):
        weight = net.get_submodule(name).weight.detach()
        gradient = net.get_submodule(name).weight.grad
        size = before[name].norm()
        assert found[name].gradient == pytest.approx(float(gradient.norm() / size), rel=1e-5)
        assert found[name].update == pytest.approx(float((weight - before[name]).norm() / size), rel=1e-5)
        assert found[name].update == pytest.approx(0.1 * found[name].gradient, rel=1e-4)  # plain SGD
    assert "1" not in found  # a norm's scale is no weight matrix


def test_training_is_the_same_with_and_without_looks() -> None:
    watched, alone, looks = made_net(), made_net(), list[Look]()
    assert steps(watched, Watcher(watched, name="n", planned=10, tell=looks.append)) == steps(alone, None)
    for one, other in zip(watched.state_dict().values(), alone.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert [look.step for look in looks] == [0, 3]
    assert not any(part._forward_hooks for part in watched.modules())


def test_units_that_never_fire_are_dead() -> None:
    net, looks = made_net(), list[Look]()
    net[1].bias.data[:3] = -100.0  # three of eight channels are below zero for good
    steps(net, Watcher(net, name="n", planned=100, tell=looks.append), count=1)
    assert next(layer.dead for layer in looks[0].layers if layer.name == "2") == pytest.approx(3 / 8)


def test_a_unit_that_fires_in_one_part_of_the_batch_is_not_dead() -> None:
    net, looks = nn.Sequential(nn.Linear(1, 1), nn.ReLU()), list[Look]()
    net[0].weight.data.fill_(1.0)
    net[0].bias.data.zero_()
    watcher = Watcher(net, name="n", planned=100, tell=looks.append)
    with watcher.step(0):
        for part in (torch.full((4, 1), -1.0), torch.full((4, 1), 1.0)):
            net(part).sum().backward()
    assert looks[0].layers[-1].dead == 0.0


@pytest.mark.parametrize("function", [nn.Sigmoid(), nn.Tanh()])
def test_saturated_is_where_autograd_finds_a_tenth_of_the_steepest_slope(function: nn.Module) -> None:
    inputs = torch.linspace(-8, 8, 1001).reshape(-1, 1).requires_grad_()
    net, looks = nn.Sequential(function), list[Look]()
    with Watcher(net, name="n", planned=100, tell=looks.append).step(0):
        net(inputs).sum().backward()
    slope = inputs.grad.flatten()
    assert looks[0].layers[0].saturated == pytest.approx(float((slope < 0.1 * slope.max()).float().mean()), abs=2e-3)


def test_classes_are_counted_and_other_targets_are_not() -> None:
    net, looks = made_net(), list[Look]()
    steps(net, Watcher(net, name="n", planned=100, tell=looks.append, classes=4), count=1)
    assert looks[0].classes == (4, 4, 4, 4)
    for targets, classes in ((torch.zeros(3, 4), 4), (torch.zeros(3), 4), (torch.zeros(3, dtype=torch.long), 1000)):
        with Watcher(net, name="n", planned=1, tell=looks.append, classes=classes).step(0, targets):
            pass
        assert looks[-1].classes == ()


def test_looks_are_rare_and_depend_on_the_step_alone() -> None:
    watcher = Watcher(nn.Linear(1, 1), name="n", planned=10_000, tell=print)
    due = [step for step in range(10_000) if watcher.due(step)]
    assert due[:4] == [0, 3, 10, 30]
    assert all(later - earlier >= EVERY for earlier, later in pairwise(due[4:]))
    assert len(due) <= 44


def test_large_maps_are_thinned_and_keep_samples_and_channels() -> None:
    large = torch.zeros(64, 64, 32, 32)
    assert _thinned(large).shape[:2] == (64, 64)
    assert _thinned(large).numel() <= 1.5 * MOST_NUMBERS
    assert _thinned(torch.zeros(8, 8, 4, 4)).shape == (8, 8, 4, 4)


def test_weights_of_zero_and_missing_gradients_have_no_numbers() -> None:
    net, looks = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), list[Look]()
    net[0].weight.data.zero_()
    with Watcher(net, name="n", planned=100, tell=looks.append, units=False).step(0):
        pass
    first, second = looks[0].layers
    assert first.gradient is None
    assert (second.gradient, second.update) == (0.0, 0.0)
