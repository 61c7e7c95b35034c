from math import sqrt

import pytest
import torch
from torch import nn

from fieldcraft.nn.blocks.whitening import WhiteningConv2d
from fieldcraft.nn.initialise import initialise_, keep_whitening, whiten_, zero_residual_
from fieldcraft.nn.networks.mlp import MlpNetwork
from fieldcraft.nn.networks.staged import ResNet


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def net() -> ResNet:
    return ResNet((3, 8, 8), 4, widths=(16, 16), depths=(1, 1))


@pytest.mark.parametrize("kind", ["default", "he", "xavier", "orthogonal"])
def test_weights_depend_on_the_generator_alone(kind: str) -> None:
    torch.manual_seed(1)
    first = net()
    torch.manual_seed(2)
    second = net()
    state = torch.random.get_rng_state()
    initialise_(first, kind, generator(5))
    initialise_(second, kind, generator(5))
    assert torch.equal(state, torch.random.get_rng_state())
    for one, other in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    initialise_(second, kind, generator(6))
    assert not torch.equal(first.classifier.weight, second.classifier.weight)


@pytest.mark.parametrize("make", [lambda: nn.Linear(7, 5), lambda: nn.Conv2d(3, 4, 5), lambda: nn.Conv1d(2, 3, 3)])
def test_default_is_what_pytorch_draws(make) -> None:
    torch.manual_seed(11)
    theirs = make()
    ours = initialise_(make(), "default", generator(11))
    assert torch.equal(theirs.weight, ours.weight)
    assert torch.equal(theirs.bias, ours.bias)


def test_variances_are_the_published_ones() -> None:
    layer = nn.Linear(400, 600)
    initialise_(layer, "he", generator())
    assert layer.weight.var().item() == pytest.approx(2 / 400, rel=0.02)
    assert not layer.bias.any()
    initialise_(layer, "xavier", generator())
    assert layer.weight.var().item() == pytest.approx(2 / 1000, rel=0.02)
    assert layer.weight.abs().max() <= sqrt(6 / 1000)
    initialise_(layer, "orthogonal", generator())
    torch.testing.assert_close(layer.weight.T @ layer.weight, 2 * torch.eye(400), atol=1e-4, rtol=0)


def test_norms_start_over_and_strangers_are_refused() -> None:
    norm = nn.BatchNorm2d(3)
    norm(torch.randn(4, 3, 2, 2) + 5)
    nn.init.zeros_(norm.weight)
    initialise_(nn.Sequential(norm), "he", generator())
    assert norm.weight.eq(1).all()
    assert norm.running_mean.eq(0).all()
    with pytest.raises(ValueError, match=r"1\b.*LSTM|LSTM"):
        initialise_(nn.Sequential(nn.ReLU(), nn.LSTM(2, 2)), "he", generator())


@pytest.mark.parametrize("place", ["before-activation", "before-convolution"])
def test_zeroed_branches_are_as_if_there_were_none(place: str) -> None:
    deep = ResNet((3, 8, 8), 4, widths=(6, 6), depths=(2, 1), norm_place=place)
    assert zero_residual_(deep) == 3
    flat = ResNet((3, 8, 8), 4, widths=(6, 6), depths=(0, 0), norm_place=place)
    flat.load_state_dict({k: v for k, v in deep.state_dict().items() if k in flat.state_dict()})
    x = torch.randn(5, 3, 8, 8)
    torch.testing.assert_close(deep.eval()(x), flat.eval()(x))
    deep.train()(x).square().sum().backward()
    block = deep.stages[0][-1]
    assert block.last.weight.grad.abs().sum() > 0, "a branch at zero must still learn"


def test_zeroed_mlp_branches() -> None:
    mlp = MlpNetwork((6,), 2, widths=(8, 8, 8), residual=True)
    assert zero_residual_(mlp) == 2
    x = mlp.steps[0](torch.randn(9, 6))
    assert torch.equal(mlp.steps[1](x), x)


def test_whitened_patches_are_white() -> None:
    images = torch.nn.functional.avg_pool2d(torch.randn(200, 3, 20, 20), 5, stride=1)
    conv = nn.Conv2d(3, 60, 3, bias=False)
    others = conv.weight[54:].detach().clone()
    assert whiten_(conv, images, eps=0.0) == 54
    assert torch.equal(conv.weight[54:], others)
    out = conv(images)[:, :54].transpose(0, 1).flatten(1)
    torch.testing.assert_close(out[:27].cov(), torch.eye(27), atol=2e-3, rtol=0)
    torch.testing.assert_close(out[27:], -out[:27], atol=1e-3, rtol=0)


def test_too_few_filters_take_the_directions_of_most_variance() -> None:
    images = torch.randn(64, 2, 9, 9) * torch.tensor([10.0, 0.1])[:, None, None]
    conv = nn.Conv2d(2, 9, 3)
    assert whiten_(conv, images) == 8
    assert conv.weight[:8, 1].abs().max() < 1e-2 * conv.weight[:8, 0].abs().max()


def test_patches_of_the_kernel_size_are_one_window_each() -> None:
    patches = torch.randn(500, 1, 3, 3)
    conv = nn.Conv2d(1, 18, 3)
    whiten_(conv, patches)
    flat = patches.flatten(1)
    variance, directions = torch.linalg.eigh(torch.cov(flat.T))
    slow = (directions / (variance + 5e-4).sqrt()).T.flip(0).view(9, 1, 3, 3)
    torch.testing.assert_close(conv.weight[:9].abs(), slow.abs(), atol=1e-3, rtol=1e-3)


def test_kept_filters_are_out_of_the_optimisers_reach() -> None:
    module = nn.Sequential(nn.Conv2d(1, 24, 3, padding=1, bias=False), nn.ReLU())
    x = torch.randn(40, 1, 8, 8)
    plain = module[0](x)
    whitening = keep_whitening(module)
    assert isinstance(whitening, WhiteningConv2d)
    assert module[0] is whitening
    assert torch.equal(whitening(x), plain), "until it is filled it is the convolution that it replaced"
    whiten_(whitening, x)
    before = whitening.kept.clone()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, weight_decay=0.1)
    learnt = whitening.weight[18:].detach().clone()
    whitening(x).square().mean().backward()
    optimiser.step()
    assert torch.equal(whitening.kept, before)
    assert not torch.equal(whitening.weight[18:], learnt)
    assert torch.equal(whitening(x)[:, :18], nn.functional.conv2d(x, before, padding=1))
    assert keep_whitening(nn.Linear(2, 2)) is None


def test_wrong_patches_are_refused() -> None:
    with pytest.raises(ValueError, match="patches must be"):
        whiten_(nn.Conv2d(3, 8, 3), torch.zeros(4, 1, 3, 3))
    with pytest.raises(ValueError, match="at least 3 x 3"):
        whiten_(nn.Conv2d(1, 8, 3), torch.zeros(4, 1, 2, 3))
