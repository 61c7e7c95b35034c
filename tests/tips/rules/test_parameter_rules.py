"""FC029 to FC032: the parameters themselves."""

import pytest
import torch
from tests.tips.rules.seen import findings, line_of, only
from torch import Tensor, nn

from fieldcraft.tips.rule import Circumstances
from fieldcraft.tips.rules import double_precision, odd_channel_count, shared_parameters, unused_parameters


class Leftover(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(8, 8), nn.Linear(8, 2)
        self.old = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


# ---------------------------------------------------------------- FC029


def test_what_is_never_read_is_what_gets_no_gradient():
    net = Leftover()
    finding = only(unused_parameters.RULE, net, (8,))
    net(torch.randn(2, 8)).sum().backward()
    without = [name for name, one in net.named_parameters() if one.grad is None]
    assert finding.numbers["parameters"] == sum(net.get_parameter(name).numel() for name in without)
    assert "old" in finding.message
    assert "scale" in finding.message
    assert "old.0" not in finding.message  # the whole of `old` is meant
    assert line_of(finding) == "class Leftover(nn.Module):"


def test_all_is_read():
    class Everything(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.zeros(4, 8))
            self.lstm = nn.LSTM(8, 8, batch_first=True)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.norm = nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))

        def forward(self, x: Tensor) -> Tensor:
            x = x + self.table[None]
            x, _ = self.lstm(x)
            x, _ = self.attention(x, x, x)
            return self.norm(x)

    assert not findings(unused_parameters.RULE, Everything(), (4, 8))


def test_heads_called_aux_are_for_training():
    class WithAux(Leftover):
        def __init__(self) -> None:
            super().__init__()
            self.aux_classifier = self.old
            self.mask_token = nn.Parameter(torch.zeros(8))
            del self.old, self.scale

    assert not findings(unused_parameters.RULE, WithAux(), (8,))


# ---------------------------------------------------------------- FC030


def test_shared_parameters():
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode, self.decode = nn.Linear(8, 8), nn.Linear(8, 8)
            self.decode.weight = self.encode.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.decode(torch.relu(self.encode(x)))

    finding = only(shared_parameters.RULE, Tied(), (8,))
    assert finding.numbers == {"parameters": 64, "saved": 64}
    assert "encode.weight = decode.weight" in finding.message
    assert line_of(finding) == "class Tied(nn.Module):"
    assert not findings(shared_parameters.RULE, Leftover(), (8,))


def test_one_block_three_times():
    block = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    finding = only(shared_parameters.RULE, nn.Sequential(block, block, block), (8,))
    assert finding.numbers == {"parameters": 72, "saved": 144}


# ---------------------------------------------------------------- FC031


def test_double_precision():
    net = Leftover()
    assert not findings(double_precision.RULE, net, (8,))
    finding = only(double_precision.RULE, net.double(), (8,))
    assert finding.numbers["parameters"] == sum(one.numel() for one in net.parameters())
    assert line_of(finding) == "class Leftover(nn.Module):"


# ---------------------------------------------------------------- FC032


@pytest.mark.parametrize(("width", "fires"), [(30, True), (32, False), (24, False), (33, True)])
def test_channels_are_multiples_of_eight_on_a_gpu(width: int, fires: bool):
    net = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 10, 3, padding=1))
    found = findings(odd_channel_count.RULE, net, (3, 16, 16), Circumstances(device="cuda"))
    assert [one.layers for one in found] == ([("0",)] if fires else [])  # ten classes are what they are
    for device in (None, "cpu"):
        assert not findings(odd_channel_count.RULE, net, (3, 16, 16), Circumstances(device=device))
