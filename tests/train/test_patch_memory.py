import pytest
import torch
from torch import nn
from torch.nn import functional

from fieldcraft.data.loader import Batch
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.nn.networks.unet import UNet
from fieldcraft.plan.schema import Execution
from fieldcraft.regimes.supervised import Supervised
from fieldcraft.train.engine import channels_last, engine
from fieldcraft.train.patch_memory import PatchMemory

REGIME = Supervised(functional.cross_entropy)
PATCHES = {1: (256,), 2: (32, 48), 3: (16, 24, 16)}


def net(spatial: int, **more) -> UNet:
    torch.manual_seed(0)
    return UNet(1, 3, spatial=spatial, **({"widths": (8, 16, 32)} | more))


def batch(count: int, *patch: int) -> Batch:
    return Batch(torch.randn(count, 1, *patch), torch.randint(0, 3, (count, *patch)), torch.arange(count))


def profiled_mib(made: nn.Module, patches: Batch, precision: str) -> float:
    """The most that a step really allocates at once."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        with engine(Execution(precision=precision)).precision():
            total = REGIME.step(made, patches).total
        total.backward()
    running = most = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            running += event.nbytes()
            most = max(most, running)
    return most / 2**20


@pytest.mark.parametrize(
    ("precision", "most"),
    [
        ("fp32", 2.5),
        pytest.param("bf16", 5, marks=pytest.mark.skipif(not machine_facts().bf16, reason="kernels take copies")),
    ],
)
@pytest.mark.parametrize("spatial", PATCHES)
def test_the_prediction_is_above_what_is_allocated_and_not_far_above(spatial, precision, most) -> None:
    made = net(spatial)
    predicted = PatchMemory(net=made, channels=1)
    expected = predicted.total_mib(PATCHES[spatial], 8) - predicted.fixed_mib
    measured = profiled_mib(made, batch(8, *PATCHES[spatial]), precision)
    assert measured < expected < most * measured


def test_what_is_kept_is_counted_exactly() -> None:
    made, patches = net(3), batch(1, 16, 16, 16)
    kept: dict[int, int] = {}
    own = {value.untyped_storage().data_ptr() for value in made.parameters()}
    holding = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        holding.append(tensor)
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        made(patches.inputs)
    measured = sum(size for place, size in kept.items() if place not in own) / 2**20
    assert PatchMemory(net=made, channels=1).kept_mib((16, 16, 16)) == pytest.approx(measured, rel=1e-3)


def test_context_is_counted() -> None:
    made = nn.Sequential(nn.Conv3d(1, 8, 3), nn.ReLU(), nn.Conv3d(8, 3, 3))
    plain, wide = (PatchMemory(net=made, channels=1, context=one) for one in ((), (2, 2, 2)))
    assert wide.kept_mib((5, 5, 5)) == plain.kept_mib((9, 9, 9))


@pytest.mark.parametrize("spatial", PATCHES)
def test_training_in_bf16_and_channels_last_follows_single_precision(spatial) -> None:
    """Three steps: the same losses but for rounding, and weights that stay where their layout put them."""
    losses = {}
    for precision, last in (("fp32", False), ("fp32", True), ("bf16", True)):
        made = engine(Execution(precision=precision, channels_last=last))
        trained = made.place(net(spatial))
        optimiser = torch.optim.AdamW(trained.parameters(), lr=3e-3)
        random = torch.Generator().manual_seed(1)
        image = torch.randn(2, 1, *PATCHES[spatial], generator=random)
        mask = (image[:, 0] > 0.3).long()
        if last and spatial > 1:
            image = image.contiguous(memory_format=torch.channels_last if spatial == 2 else torch.channels_last_3d)
        found = []
        for _ in range(3):
            optimiser.zero_grad()
            with made.precision():
                loss = REGIME.step(trained, Batch(image, mask, torch.arange(2))).total
            made.backward(loss)
            optimiser.step()
            found.append(float(loss.detach()))
        losses[precision, last] = torch.tensor(found)
        assert found[2] < found[0]
    torch.testing.assert_close(losses["fp32", True], losses["fp32", False], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(losses["bf16", True], losses["fp32", False], atol=0.03, rtol=0.03)


def test_channels_last_takes_weights_of_2d_and_3d_convolutions_alike() -> None:
    made = channels_last(nn.Sequential(nn.Conv3d(4, 8, 3), nn.Flatten(2), nn.Linear(1, 1), nn.Conv2d(4, 8, 3)))
    assert made[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert made[3].weight.is_contiguous(memory_format=torch.channels_last)
