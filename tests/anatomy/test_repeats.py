"""What is followed once must say the same as following everything."""

import pytest
import torch
from torch import Tensor, nn

from fieldcraft.anatomy import fields, repeats
from fieldcraft.anatomy.fields import fields_of
from fieldcraft.anatomy.masks import Masks
from fieldcraft.anatomy.operations import operation_of
from fieldcraft.anatomy.repeats import kinds_of
from fieldcraft.anatomy.trace import Traced, trace


class Block(nn.Module):
    """Attention over patches with a written slice, and a gated convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.mix = nn.Linear(8, 24), nn.Linear(2, 2)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        n, steps, width = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, steps, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        scores = self.mix((q @ k.transpose(-2, -1)).permute(0, 2, 3, 1)).permute(0, 3, 1, 2).softmax(-1)
        x = x + (scores @ v).transpose(1, 2).reshape(n, steps, width)
        maps = x.transpose(1, 2).reshape(n, width, 5, 5)
        maps = self.depthwise(maps) * maps.mean((2, 3), keepdim=True).sigmoid()
        x = maps.flatten(2).transpose(1, 2).clone()
        x[:, 1:] += 1.0
        return x


class Patches(nn.Module):
    """Equal blocks behind an embedding."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, 8, 4, stride=4)
        self.blocks = nn.Sequential(*(Block() for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.embed(x).flatten(2).transpose(1, 2))  # type: ignore[no-any-return]


def traced(blocks: int) -> Traced:
    return trace(Patches(blocks).eval(), [torch.empty(1, 1, 20, 20)])


def test_following_once_gives_the_fields_that_following_always_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    one = traced(3)
    quick = fields_of(one)
    monkeypatch.setattr(fields, "kinds_of", lambda capture, operations, masks: [None] * len(operations))
    assert fields_of(one) == quick


def test_letting_go_of_what_was_followed_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one = traced(3)
    kept = fields_of(one)
    monkeypatch.setattr(repeats, "MOST_NUMBERS", 500)
    assert fields_of(one) == kept


def test_equal_blocks_are_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    ordinary = fields.seen_after

    def counted(*given: object) -> object:
        calls.append(given)
        return ordinary(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(fields, "seen_after", counted)
    counts = []
    for blocks in (6, 12):
        calls.clear()
        fields_of(traced(blocks))
        counts.append(len(calls))
    assert counts[0] == counts[1]


def test_events_on_other_shapes_are_of_another_kind() -> None:
    one = trace(nn.Sequential(nn.ReLU(), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU()).eval(), [torch.empty(1, 1, 8, 8)])
    operations = [operation_of(event, one.capture) for event in one.capture.events]
    kinds = dict(
        zip(
            [event.module for event in one.capture.events],
            kinds_of(one.capture, operations, Masks(one.capture, frozenset())),
            strict=True,
        )
    )
    assert kinds["0"] == kinds["1"] != kinds["3"]


def test_recurrent_layers_are_always_followed() -> None:
    one = trace(nn.LSTM(4, 4, batch_first=True).eval(), [torch.empty(1, 6, 4)])
    operations = [operation_of(event, one.capture) for event in one.capture.events]
    assert None in kinds_of(one.capture, operations, Masks(one.capture, frozenset()))
