"""FC001 to FC003, FC022, FC023, FC033: what stands around norms."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tips.rules.seen import findings, in_evaluation, line_of, only
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.records.finding import Severity
from fieldcraft.tips.rule import Circumstances
from fieldcraft.tips.rules import (
    batch_norm_tiny_batch,
    bias_before_norm,
    dropout_before_batch_norm,
    foldable_norm,
    norm_after_activation,
    two_norms_in_a_row,
)

IMAGE = (3, 16, 16)


class Block(nn.Module):
    def __init__(self, norm: nn.Module, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=bias)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return F.relu(self.norm(x))


# ---------------------------------------------------------------- FC001


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(8), nn.InstanceNorm2d(8), nn.GroupNorm(8, 8)])
def test_a_bias_before_a_norm_is_found_on_its_line_and_has_no_effect(norm):
    net = Block(norm)
    finding = only(bias_before_norm.RULE, net, IMAGE)
    assert line_of(finding) == "x = self.conv(x)"
    assert finding.layers == ("conv",)
    assert "8 numbers" in finding.message
    moved = copy.deepcopy(net)
    with torch.no_grad():
        moved.conv.bias += torch.randn(8)
    x = torch.randn(4, *IMAGE)
    # In training mode the statistics are those of the batch: the bias is taken out, whatever it is.
    assert torch.allclose(net.train()(x), moved.train()(x), atol=1e-5)


@pytest.mark.parametrize("norm", [nn.GroupNorm(2, 8), nn.LayerNorm((8, 16, 16)), nn.Identity()])
def test_a_bias_that_counts_is_left_alone(norm):
    net = Block(norm)
    assert not findings(bias_before_norm.RULE, net, IMAGE)
    moved = copy.deepcopy(net)
    with torch.no_grad():
        moved.conv.bias += torch.randn(8)
    x = torch.randn(4, *IMAGE)
    assert not torch.allclose(net(x), moved(x), atol=1e-3)


def test_without_a_bias_nothing_is_said():
    assert not findings(bias_before_norm.RULE, Block(nn.BatchNorm2d(8), bias=False), IMAGE)


def test_many_layers_of_one_line_are_one_finding():
    net = nn.Sequential(*(Block(nn.BatchNorm2d(8)) for _ in range(1)), nn.Conv2d(8, 3, 1), Block(nn.BatchNorm2d(8)))
    finding = only(bias_before_norm.RULE, net, IMAGE)
    assert finding.layers == ("0.conv", "2.conv")
    assert finding.numbers["bias_parameters"] == 16


def test_a_layer_that_is_also_called_without_the_norm_needs_its_bias():
    class Twice(Block):
        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x)) + self.conv(x)

    assert not findings(bias_before_norm.RULE, Twice(nn.BatchNorm2d(8)), IMAGE)


def test_a_second_reader_needs_the_bias():
    class Both(Block):
        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            return x + self.norm(x)

    assert not findings(bias_before_norm.RULE, Both(nn.BatchNorm2d(8)), IMAGE)


def test_dropout_between_them_makes_the_bias_count():
    assert not findings(bias_before_norm.RULE, nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.BatchNorm1d(8)), (4,))
    assert only(bias_before_norm.RULE, nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.0), nn.BatchNorm1d(8)), (4,))


@settings(deadline=None, max_examples=15)
@given(axes=st.integers(1, 3), width=st.integers(1, 9), bias=st.booleans())
def test_any_dimension(axes: int, width: int, bias: bool):
    conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1](2, width, 3, padding=1, bias=bias)
    norm = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[axes - 1](width)
    found = findings(bias_before_norm.RULE, nn.Sequential(conv, norm), (2, *(6,) * axes))
    assert [one.numbers["bias_parameters"] for one in found] == ([width] if bias else [])


# ---------------------------------------------------------------- FC002


def test_a_norm_after_the_activation():
    class Behind(Block):
        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.conv(x))
            return self.norm(x)

    finding = only(norm_after_activation.RULE, Behind(nn.BatchNorm2d(8)), IMAGE)
    assert line_of(finding) == "return self.norm(x)"
    assert finding.severity == Severity.INFO
    assert not findings(norm_after_activation.RULE, Block(nn.BatchNorm2d(8)), IMAGE)


def test_a_pool_between_them_is_no_excuse():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(8))
    assert only(norm_after_activation.RULE, net, IMAGE).layers == ("3",)


def test_a_norm_that_opens_a_branch_is_left_alone():
    class PreActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.norm, self.conv = nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.stem(x))
            return x + self.conv(F.relu(self.norm(x)))

    assert not findings(norm_after_activation.RULE, PreActivation(), IMAGE)


# ---------------------------------------------------------------- FC003


def test_two_norms_in_a_row():
    finding = only(two_norms_in_a_row.RULE, Block(nn.Sequential(nn.BatchNorm2d(8), nn.GroupNorm(2, 8))), IMAGE)
    assert line_of(finding) == "return F.relu(self.norm(x))"
    assert "batch-normalised" in finding.message
    assert "norm.1" in finding.message
    assert not findings(two_norms_in_a_row.RULE, Block(nn.BatchNorm2d(8)), IMAGE)


def test_the_second_of_two_layer_norms_changes_next_to_nothing():
    net = nn.Sequential(nn.LayerNorm(32), nn.LayerNorm(32))
    assert findings(two_norms_in_a_row.RULE, net, (32,))
    x = 3 * torch.randn(4, 32) + 1
    assert torch.allclose(in_evaluation(net, x), in_evaluation(net[0], x), atol=1e-4)


def test_a_norm_on_a_branch_is_not_the_second():
    class Branch(Block):
        def forward(self, x: Tensor) -> Tensor:
            x = self.norm[0](self.conv(x))
            return x + self.norm[1](x)

    norms = nn.ModuleList([nn.BatchNorm2d(8), nn.BatchNorm2d(8)])
    assert not findings(two_norms_in_a_row.RULE, Branch(norms), IMAGE)  # type: ignore[arg-type]


# ---------------------------------------------------------------- FC022


@pytest.mark.parametrize(("batch", "fires"), [(None, False), (1, True), (2, True), (7, True), (8, False), (64, False)])
def test_tiny_batches(batch: int | None, fires: bool):
    found = findings(batch_norm_tiny_batch.RULE, Block(nn.BatchNorm2d(8)), IMAGE, Circumstances(batch=batch))
    assert bool(found) == fires
    assert not findings(batch_norm_tiny_batch.RULE, Block(nn.GroupNorm(2, 8)), IMAGE, Circumstances(batch=batch))


def test_one_number_a_channel_is_an_error_as_in_pytorch():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4))
    finding = only(batch_norm_tiny_batch.RULE, net, (3, 2, 2), Circumstances(batch=1))
    assert finding.severity == Severity.ERROR
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        net.train()(torch.randn(1, 3, 2, 2))
    finding = only(batch_norm_tiny_batch.RULE, net, (3, 2, 2), Circumstances(batch=2))
    assert finding.severity == Severity.WARNING
    assert finding.numbers["fewest_values"] == 2


# ---------------------------------------------------------------- FC023


@pytest.mark.parametrize(
    "between",
    [(), (nn.Linear(64, 64),), (nn.Linear(64, 64), nn.ReLU())],
    ids=["directly", "through a layer", "through a layer and a relu"],
)
def test_dropout_before_a_batch_norm_and_its_shift_of_variance(between: tuple[nn.Module, ...]):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Dropout(0.5), *between, nn.BatchNorm1d(64))
    finding = only(dropout_before_batch_norm.RULE, net, (64,))
    assert finding.numbers["variance_ratio"] == 2
    # The variance that the norm sees in training against the one in evaluation, for inputs of mean zero.
    x = torch.randn(20_000, 64)
    with torch.no_grad():
        seen = net.train()[:-1](x).var(0).mean()
        then = net.eval()[:-1](x).var(0).mean()
    assert 1.4 < seen / then < 2.1


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 8)),
        nn.Sequential(nn.Dropout(0.0), nn.BatchNorm1d(8)),
        nn.Sequential(nn.Dropout(0.5), nn.LayerNorm(8)),
        nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 8), nn.Linear(8, 8), nn.BatchNorm1d(8)),
    ],
    ids=["behind", "drops nothing", "layer norm", "far away"],
)
def test_dropout_elsewhere(net: nn.Module):
    assert not findings(dropout_before_batch_norm.RULE, net, (8,))


# ---------------------------------------------------------------- FC033


def test_foldable_norms_are_one_line():
    net = nn.Sequential(Block(nn.BatchNorm2d(8), bias=False), nn.BatchNorm2d(8))
    finding = only(foldable_norm.RULE, net, IMAGE)
    assert finding.layers == ("0.norm",)
    assert finding.numbers["numbers_a_sample"] == 8 * 16 * 16
    assert finding.severity == Severity.INFO
    assert not findings(foldable_norm.RULE, Block(nn.GroupNorm(2, 8)), IMAGE)
    assert not findings(foldable_norm.RULE, Block(nn.BatchNorm2d(8, track_running_stats=False)), IMAGE)
