"""What is added or filled in by hand before a softmax: a bound where it may hide pairs, exact where it cannot."""

from collections.abc import Callable

import pytest
import timm.models.swin_transformer as timm_swin
import timm.models.swin_transformer_v2 as timm_swin_v2
import torch
import torchvision.models.swin_transformer as swin
from tests.anatomy.field_truth import compared
from torch import Tensor, nn

from fieldcraft.anatomy.sights import BOUND

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
def test_windows_that_wrap_around_are_masked_and_so_bounds(maker: str) -> None:
    shifted = list(compared(ChannelsFirst(MAKERS[maker](2)), [(8, 12, 12)]))
    assert all(one.inside for one in shifted)
    assert any(one.truth != one.said for one in shifted)  # the mask keeps the two ends of the image apart
    assert not any(one.exact for one in shifted)


@pytest.mark.parametrize("maker", MAKERS)
def test_relative_position_biases_hide_nothing(maker: str) -> None:
    still = list(compared(ChannelsFirst(MAKERS[maker](0)), [(8, 12, 12)]))
    assert all(one.exact and one.truth == one.said for one in still)


CHANGES: dict[str, tuple[bool, Callable[[Tensor, ByHand], Tensor]]] = {
    "scaled": (True, lambda scores, net: scores * 0.5),
    "learned": (True, lambda scores, net: scores + net.bias.sigmoid() * 16),
    "sloped": (False, lambda scores, net: scores + net.slope),
    "filled": (False, lambda scores, net: scores.masked_fill(torch.ones(16, 16, dtype=torch.bool).triu(1), -1e9)),
    "where": (False, lambda scores, net: torch.where(net.slope < -3, -1e9, scores)),
    "learned and hidden": (False, lambda scores, net: scores + (net.bias + torch.full((16, 16), -1e9).triu(1))),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_known_of_scores_that_were_changed_by_hand(name: str) -> None:
    exact, change = CHANGES[name]
    rows = list(compared(ByHand(change), [(4, 16)]))
    assert all(one.inside and (one.exact > BOUND) is exact for one in rows)
    if exact:
        assert all(one.truth == one.said for one in rows)


def test_the_same_softmax_with_and_without_a_mask_is_told_apart() -> None:
    plain = [MAKERS["timm"](0), MAKERS["timm"](2)]
    assert all(one.exact for one in compared(ChannelsFirst(nn.Sequential(plain[0], plain[0])), [(8, 12, 12)]))
    assert not any(one.exact for one in compared(ChannelsFirst(nn.Sequential(*plain)), [(8, 12, 12)]))
