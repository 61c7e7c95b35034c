"""Memory: predicted against what is measured, and signs of having been killed for it."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from fieldcraft.build.network import build_network
from fieldcraft.data.loader import Batch
from fieldcraft.plan.schema import Cnn, Execution, Initialisation
from fieldcraft.regimes.supervised import Supervised
from fieldcraft.train.engine import engine
from fieldcraft.train.memory import MIB, StepMemory, free_mib, memory_kills, peak_mib, predict

REGIME = Supervised(functional.cross_entropy)


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4),
    )  # fmt: skip


def batch(samples: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(samples, 3, 32, 32, generator=generator)
    return Batch(images, torch.arange(samples) % 4, torch.arange(samples))


def test_the_prediction_is_within_a_factor_of_three_of_what_is_measured() -> None:
    predicted = predict(net(), REGIME, batch(2), engine(Execution()))
    samples = 32
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        REGIME.step(net(), batch(samples)).total.backward()
    running = most = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            running += event.nbytes()
            most = max(most, running)
    measured = most / MIB
    expected = samples * predicted.sample_mib
    assert measured / 3 < expected < measured * 3, (expected, measured)


def test_a_prediction_leaves_the_network_as_it_was() -> None:
    made = net()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    predict(made, REGIME, batch(2), engine(Execution()))
    for name, value in made.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(value.grad is None for value in made.parameters())


def test_twice_the_width_takes_about_twice_the_memory_a_sample() -> None:
    def predicted(width: int) -> StepMemory:
        made = build_network(
            Cnn(widths=(width,)), shape=(3, 32, 32), outputs=4, initialisation=Initialisation(), seed=0, name="n"
        )
        return predict(made, REGIME, batch(2), engine(Execution()))

    assert predicted(32).sample_mib / predicted(16).sample_mib == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize(
    ("allowed", "expected"), [(1e9, 100), (1200, 100), (600, 50), (300, 25), (144, 7), (1, 1)]
)  # fmt: skip
def test_batches_are_halved_until_they_fit(allowed: float, expected: int) -> None:
    step = StepMemory(fixed_mib=50.0, sample_mib=10.0)
    assert step.fitting(100, allowed) == expected
    assert expected == 1 or step.total_mib(expected) <= allowed


def test_kills_for_memory_are_read_where_the_system_counts_them(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 12\noom_kill 3\noom_kill_other 9\n")
    (tmp_path / "memory.events").write_text("low 0\noom 5\noom_kill 2\n")
    assert memory_kills(tmp_path / "vmstat", tmp_path / "memory.events") == 5
    assert memory_kills(tmp_path / "vmstat", tmp_path / "none") == 3
    assert memory_kills(tmp_path / "none", tmp_path / "none") == 0


def test_what_the_process_holds_and_what_is_free() -> None:
    assert 10 < peak_mib() < 1e6
    assert free_mib() > 0
