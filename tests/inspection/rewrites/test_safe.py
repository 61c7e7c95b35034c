"""Safe rewrites keep the function: on nets of several families, in evaluation and where claimed in training."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inspection.rewrites.nets import NETS, SIZE, images, shaken
from torch import nn

from fieldcraft.errors import InspectError
from fieldcraft.inspection.difference import relative
from fieldcraft.inspection.rewrite import rewrite
from fieldcraft.nn.blocks.norm import make_norm

torch.set_num_threads(1)


@pytest.mark.parametrize("name", NETS)
def test_folded_norms_keep_the_function_in_evaluation(name: str) -> None:
    net = shaken(NETS[name](), 1).double()
    made = rewrite(net, "fold-norm", SIZE)
    x = images(2).double()
    with torch.no_grad():
        assert relative([net(x)], [made.module(x)]) < 1e-5
    assert made.difference is not None and made.difference < 1e-5
    assert made.after.parameters < made.before.parameters


@pytest.mark.parametrize("name", NETS)
def test_dropped_biases_keep_the_function_and_its_statistics_in_training_as_well(name: str) -> None:
    net = shaken(NETS[name](), 1).double()
    made = rewrite(net, "FC001", SIZE)
    old, new = copy.deepcopy(net), made.module
    x = images(3, 6, 3, 64, 64).double()
    for training in (False, True, False):
        results = []
        for one in (old, new):
            torch.manual_seed(0)
            results.append(one.train(training)(x))
        assert relative([results[0]], [results[1]]) < 1e-5
    assert made.after.parameters < made.before.parameters


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    norm=st.sampled_from(["batch", "batch-no-stats", "instance", "instance-stats", "instance-own", "group"]),
    transposed=st.booleans(),
    groups=st.sampled_from([1, 2]),
)
def test_drop_and_fold_on_single_layers(seed: int, norm: str, transposed: bool, groups: int) -> None:
    torch.manual_seed(seed)
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    norms = {
        "batch": lambda: nn.BatchNorm2d(8),
        "batch-no-stats": lambda: nn.BatchNorm2d(8, track_running_stats=False),
        "instance": lambda: nn.InstanceNorm2d(8),
        "instance-stats": lambda: nn.InstanceNorm2d(8, track_running_stats=True, affine=True),
        "instance-own": lambda: make_norm("instance", 8, dims=2),
        "group": lambda: nn.GroupNorm(8, 8),
    }
    net = shaken(nn.Sequential(kind(4, 8, 3, groups=groups), norms[norm]()), seed).double()
    x = images(seed, 3, 4, 9, 9).double()
    new = rewrite(net, "drop-bias", (4, 9, 9)).module
    assert new[0].bias is None
    for training in (False, True, False):
        assert relative([net.train(training)(x)], [new.train(training)(x)]) < 1e-5
        last = x.contiguous(memory_format=torch.channels_last)
        assert relative([net(last)], [new(last)]) < 1e-5
    if norm == "batch":
        assert relative([net(x)], [rewrite(net, "fold-norm", (4, 9, 9)).module(x)]) < 1e-5


class ReadTwice(nn.Module):
    """Someone else reads the biased values."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        return self.norm(y) + y


class Reused(nn.Module):
    """One convolution, two norms."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.first, self.second = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.conv(self.first(self.conv(x))))


@pytest.mark.parametrize("what", ["drop-bias", "fold-norm"])
@pytest.mark.parametrize(
    "net",
    [
        ReadTwice(),
        Reused(),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ZeroPad2d(1), nn.BatchNorm2d(4)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)),
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), nn.BatchNorm2d(4)),
    ],
    ids=lambda net: type(net).__name__,
)
def test_what_would_change_the_function_is_left(net: nn.Module, what: str) -> None:
    with pytest.raises(InspectError, match="nothing fits"):
        rewrite(shaken(net, 1, biases=False), what, (3, 8, 8))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), bias=st.booleans(), stride=st.sampled_from([1, 2]), padding=st.sampled_from([0, 1]))
def test_chains_of_1x1_become_one(seed: int, bias: bool, stride: int, padding: int) -> None:
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(4, 8, 1, padding=padding, bias=bias),
        nn.Identity(),
        nn.Conv2d(8, 6, 1, stride=stride),
        nn.Conv2d(6, 5, 1),
    ).double()
    x = images(seed, 2, 4, 7, 6).double()
    made = rewrite(net, "fuse-1x1", (4, 7, 6))
    assert relative([net(x)], [made.module(x)]) < 1e-12
    assert sum(isinstance(one, nn.Conv2d) for one in made.module.modules()) == 1
    assert made.after.macs < made.before.macs


def test_linear_layers_on_sequences_are_fused_and_bottlenecks_are_not() -> None:
    wide = nn.Sequential(nn.Linear(4, 16), nn.Linear(16, 5))
    x = images(1, 2, 7, 4)
    assert relative([wide(x)], [rewrite(wide, "FC034", (7, 4)).module(x)]) < 1e-5
    with pytest.raises(InspectError, match="cost less than one map"):
        rewrite(nn.Sequential(nn.Linear(16, 2), nn.Linear(2, 16)), "fuse-1x1", (16,))
    with pytest.raises(InspectError, match="pads between"):
        rewrite(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1, padding=1)), "fuse-1x1", (3, 8, 8))
