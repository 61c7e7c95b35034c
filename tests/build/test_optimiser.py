import pytest
import torch
from torch import nn

from fieldcraft.build.optimiser import build_optimiser, split_by_decay
from fieldcraft.nn.networks.staged import ResNet
from fieldcraft.plan import schema


def net() -> ResNet:
    torch.manual_seed(0)
    return ResNet((1, 8, 8), 3, widths=(8, 8), depths=(1, 1), norm="group")


def test_norms_and_biases_are_spared() -> None:
    module = net()
    decay, spared = split_by_decay(module, decay_all=False)
    names = {id(weight): name for name, weight in module.named_parameters()}
    assert all(weight.ndim > 1 for weight in decay)
    assert all("norm" in names[id(w)] or "bias" in names[id(w)] or w.ndim == 1 for w in spared)
    assert len(decay) + len(spared) == len(names)
    everything, nothing = split_by_decay(module, decay_all=True)
    assert len(everything) == len(names) and not nothing


def test_a_layer_norm_over_images_is_a_norm_whatever_its_shape() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.LayerNorm((2, 4, 4)))
    decay, spared = split_by_decay(module, decay_all=False)
    assert [tuple(weight.shape) for weight in decay] == [(2, 1, 3, 3)]
    assert len(spared) == 3


def test_frozen_weights_take_no_part() -> None:
    module = net()
    module.classifier.requires_grad_(False)
    optimiser = build_optimiser(module, schema.Sgd(), 0.1)
    held = {id(weight) for group in optimiser.param_groups for weight in group["params"]}
    assert id(module.classifier.weight) not in held


@pytest.mark.parametrize(
    ("planned", "slow"),
    [
        (
            schema.Sgd(momentum=0.8, weight_decay=0.1),
            lambda weights: torch.optim.SGD(
                weights, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1, fused=False
            ),
        ),
        (
            schema.Sgd(momentum=0.0, nesterov=True),
            lambda weights: torch.optim.SGD(weights, lr=0.05, fused=False),
        ),
        (
            schema.RmsProp(alpha=0.9, momentum=0.5, eps=1e-6, weight_decay=0.1),
            lambda weights: torch.optim.RMSprop(
                weights, lr=0.05, alpha=0.9, momentum=0.5, eps=1e-6, weight_decay=0.1, foreach=False
            ),
        ),
        (
            schema.AdamW(beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.1),
            lambda weights: torch.optim.AdamW(
                weights, lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1, fused=False
            ),
        ),
    ],
)
def test_fused_steps_are_the_plain_ones(planned, slow) -> None:
    one, other = net(), net()
    optimisers = build_optimiser(one, planned, 0.05), slow(other.parameters())
    x = torch.randn(4, 1, 8, 8)
    for _ in range(3):
        for module, optimiser in zip((one, other), optimisers, strict=True):
            optimiser.zero_grad()
            module(x).square().mean().backward()
            optimiser.step()
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_decay_reaches_the_first_group_only_and_rates_can_be_set() -> None:
    planned = schema.AdamW(weight_decay=0.5, decay_norms_and_biases=False)
    module = net()
    optimiser = build_optimiser(module, planned, 0.1)
    assert [group["weight_decay"] for group in optimiser.param_groups] == [0.5, 0.0]
    for group in optimiser.param_groups:
        group["lr"] = 0.2
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    for weight in module.parameters():
        weight.grad = torch.zeros_like(weight)
    optimiser.step()
    for name, weight in module.named_parameters():
        factor = 1 - 0.2 * 0.5 if weight.ndim > 1 else 1.0
        torch.testing.assert_close(weight.detach(), before[name] * factor)
