"""Numbers that a pass over meta tensors makes without its inputs, and orders that no input decides about."""

import torch
from tests.anatomy.field_truth import compared, traced
from torch import Tensor, nn

from fieldcraft.anatomy.numbers import plain_numbers


class Regions(nn.Module):
    """Numbers written into slices of a map, as Swin does it for its windows."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("step", torch.tensor([2.0]))

    def forward(self, x: Tensor) -> Tensor:
        marks = x.new_zeros((6, 6))
        for number, part in enumerate((slice(0, 3), slice(3, 5), slice(5, 6))):
            marks[part, :] = number * self.step
        pairs = marks.view(2, 3, 6).permute(0, 2, 1).reshape(2, -1)
        self.seen = pairs[:, None] - pairs[..., None]
        return x * self.seen.mean()


def test_writes_through_views_are_carried_out_again() -> None:
    net = Regions()
    net(torch.ones(1))
    wanted = net.seen
    capture = traced(net, [(4,)]).capture
    numbers = [one for one in plain_numbers(capture).values() if one.shape == wanted.shape]
    assert numbers and torch.equal(numbers[-1], wanted)
    assert torch.equal(net.step, torch.tensor([2.0]))


class WrittenLater(nn.Module):
    """A mask that hides nothing while it is used, and something for the next one who uses it."""

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.zeros(8, 8, device=x.device)
        first = ((x.transpose(1, 2) @ x) + mask).softmax(-1) @ x.transpose(1, 2)
        mask.fill_(-1e9).fill_diagonal_(0)
        self.used = mask
        return first.transpose(1, 2)


def test_a_value_stays_what_it_was_when_its_storage_is_written_to() -> None:
    capture = traced(WrittenLater(), [(2, 8)]).capture
    sums = [float(one.abs().sum()) for one in plain_numbers(capture).values() if one.shape == (8, 8)]
    assert sums[0] == 0 and max(sums) > 0
    assert all(one.exact and one.truth == one.said == (0, 7) for one in compared(WrittenLater(), [(2, 8)]))


def test_what_an_input_or_chance_decides_is_not_known() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.rand(3, 4).cumsum(0).mean() + x.mean().expand(3, 4).sum()

    numbers = plain_numbers(traced(Noisy(), [(4,)]).capture)
    assert not any(one.numel() == 12 for one in numbers.values())


class Shuffled(nn.Module):
    """Channels in an order of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv1d(3, 3, 3, padding=1)
        self.register_buffer("order", torch.tensor([2, 0, 1]))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(self.layer(x)[:, self.order])
        return out


def test_channels_in_another_order_see_the_same() -> None:
    rows = list(compared(Shuffled(), [(3, 12)]))
    assert len(rows) == 12
    assert all(one.exact and one.truth == one.said for one in rows)
