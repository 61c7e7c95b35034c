import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fieldcraft.errors import RunError
from fieldcraft.train.averaging import Average, averaged_weights
from fieldcraft.train.checkpoint import Place, capture, read, restore, write
from fieldcraft.train.guard import Guard

OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
}


def made() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def steps(net: nn.Module, optimiser: torch.optim.Optimizer, average: Average, first: int, last: int) -> None:
    for step in range(first, last):
        torch.manual_seed(step)
        optimiser.zero_grad()
        net(torch.randn(16, 4)).square().mean().backward()
        optimiser.step()
        average.update(step)


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_written_read_and_gone_on_from_is_never_having_stopped(tmp_path: Path, kind: str) -> None:
    net = made()
    optimiser, average = OPTIMISERS[kind](net.parameters()), Average(net, 0.9)
    steps(net, optimiser, average, 0, 7)
    place = Place(step=7, guard=Guard(slow=1.25, seen=7), seconds=2.5)
    write(capture(place, net, optimiser, average), tmp_path / "checkpoint.safetensors")
    steps(net, optimiser, average, 7, 20)

    other = made()
    other_optimiser, other_average = OPTIMISERS[kind](other.parameters()), Average(other, 0.9)
    found = read(tmp_path / "checkpoint.safetensors")
    assert found is not None
    assert restore(found, other, other_optimiser, other_average) == place
    steps(other, other_optimiser, other_average, 7, 20)
    for name, value in averaged_weights(net, average).items():
        assert torch.equal(value, averaged_weights(other, other_average)[name]), name
    for name, value in net.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_one_of_the_first_version_is_read(tmp_path: Path) -> None:
    """Its scale of the rate is in the journal, too."""
    place = {"schema": 1, "step": 7, "lr_scale": 0.5, "guard": {"slow": 1.25, "seen": 7}, "seconds": 2.5, "seen": []}
    save_file({"net.weight": torch.ones(2)}, tmp_path / "old.safetensors", metadata={"place": json.dumps(place)})
    found = read(tmp_path / "old.safetensors")
    assert found is not None and found.place == Place(step=7, guard=Guard(slow=1.25, seen=7), seconds=2.5)


def test_no_checkpoint_is_none_and_a_damaged_one_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    assert read(path) is None
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(RunError, match="Delete it and run the same command again"):
        read(path)


def test_the_average_is_the_formula_written_slowly() -> None:
    net = nn.Linear(3, 1)
    average = Average(net, 0.9)
    slow = net.weight.detach().clone()
    for step in range(30):
        with torch.no_grad():
            net.weight += 1.0
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        slow = decay * slow + (1 - decay) * net.weight.detach()
    torch.testing.assert_close(average.state()["weight"], slow)
    with pytest.raises(ValueError, match="decay < 1"):
        Average(net, 1.0)
