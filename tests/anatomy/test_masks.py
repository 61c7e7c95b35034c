"""What is added or filled in by hand before a softmax: looked at where it is numbers, a bound where it is not."""

from collections.abc import Callable

import pytest
import timm.models.swin_transformer as timm_swin
import timm.models.swin_transformer_v2 as timm_swin_v2
import torch
import torchvision.models.swin_transformer as swin
from tests.anatomy.field_truth import compared
from torch import Tensor, nn

from fieldcraft.anatomy.fields import fields_of
from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.sights import BOUND
from fieldcraft.anatomy.trace import trace

torch.set_num_threads(1)


class ChannelsFirst(nn.Module):
    """A block on (n, h, w, c) as one on (n, c, h, w)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return out


class ByHand(nn.Module):
    """Attention along the steps of (n, c, steps), with scores that `change` has the last word on."""

    def __init__(self, change: Callable[[Tensor, nn.Module], Tensor]) -> None:
        super().__init__()
        self.change = change
        self.bias = nn.Parameter(torch.zeros(16, 16))
        self.register_buffer("slope", -(torch.arange(16)[:, None] - torch.arange(16)).abs().float())

    def forward(self, x: Tensor) -> Tensor:
        scores = self.change(x.transpose(1, 2) @ x, self)
        out: Tensor = (scores.softmax(-1) @ x.transpose(1, 2)).transpose(1, 2)
        return out


MAKERS = {
    "torchvision": lambda shift: swin.SwinTransformerBlock(8, 2, [4, 4], [shift, shift]),
    "torchvision v2": lambda shift: swin.SwinTransformerBlockV2(8, 2, [4, 4], [shift, shift]),
    "timm": lambda shift: timm_swin.SwinTransformerBlock(8, (12, 12), num_heads=2, window_size=4, shift_size=shift),
    "timm v2": lambda shift: timm_swin_v2.SwinTransformerV2Block(8, (12, 12), 2, window_size=4, shift_size=shift),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_the_mask_of_windows_that_wrap_around_is_looked_at(maker: str) -> None:
    shifted = list(compared(ChannelsFirst(MAKERS[maker](2)), [(8, 12, 12)]))
    assert all(one.exact and one.truth == one.said for one in shifted)
    sides = {one.said for one in shifted if one.axis[1] == 0}
    assert (0, 1) in sides and (10, 11) in sides  # the mask keeps the two ends of the image apart


@pytest.mark.parametrize("maker", MAKERS)
def test_relative_position_biases_hide_nothing(maker: str) -> None:
    still = list(compared(ChannelsFirst(MAKERS[maker](0)), [(8, 12, 12)]))
    assert all(one.exact and one.truth == one.said for one in still)


CHANGES: dict[str, tuple[bool, Callable[[Tensor, ByHand], Tensor]]] = {
    "scaled": (True, lambda scores, net: scores * 0.5),
    "learned": (True, lambda scores, net: scores + net.bias.sigmoid() * 16),
    "sloped": (True, lambda scores, net: scores + net.slope),
    "filled": (True, lambda scores, net: scores.masked_fill(torch.ones(16, 16, dtype=torch.bool).triu(1), -1e9)),
    "where": (True, lambda scores, net: torch.where(net.slope < -3, -1e9, scores)),
    "learned and hidden": (True, lambda scores, net: scores + (net.bias + torch.full((16, 16), -1e9).triu(1))),
    "hidden by what is learned": (False, lambda scores, net: scores.masked_fill(net.bias > 0, -1e9)),
    "hidden by a copy of it": (False, lambda scores, net: scores.masked_fill((net.bias > 0).to(torch.bool), -1e9)),
    "hidden by the input": (False, lambda scores, net: torch.where(scores.mean() > 3, -1e9, scores)),
}


def reached(net: nn.Module) -> list[tuple[int, int]]:
    """First and last step that each step of the output has a gradient of, by autograd on random numbers."""
    x = torch.randn(1, 4, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slopes: Tensor = torch.autograd.functional.jacobian(lambda one: net.double()(one)[0].sum(0), x)
    touched = slopes[:, 0].abs().sum(1) > 0
    return [(int(row.nonzero()[0]), int(row.nonzero()[-1])) for row in touched]


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_known_of_scores_that_were_changed_by_hand(name: str) -> None:
    exact, change = CHANGES[name]
    rows = list(compared(ByHand(change), [(4, 16)]))
    assert all((one.exact > BOUND) is exact for one in rows)
    truth = reached(ByHand(change))
    for one in rows if len(rows) > 1 else rows * 16:
        first, last = truth[one.unit]
        assert one.said is not None and one.said[0] <= first and last <= one.said[1]
        assert not exact or one.said == (first, last)


def test_a_mask_without_numbers_makes_bounds() -> None:
    with torch.device("meta"):
        net = ByHand(CHANGES["sloped"][1])
    assert not any(axis.exact for axis in fields_of(trace(net, [Input(shape=(4, 16))]))[-1][0].axes)


def test_the_same_softmax_with_and_without_a_mask_is_told_apart() -> None:
    plain = [MAKERS["timm"](0), MAKERS["timm"](2)]
    for blocks in ((plain[0], plain[0]), plain):
        assert all(one.exact and one.right for one in compared(ChannelsFirst(nn.Sequential(*blocks)), [(8, 12, 12)]))
