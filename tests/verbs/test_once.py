"""What one training outside of any run took: its own steps, not what lay on the card before or what came after."""

from dataclasses import dataclass, field, replace

import pytest
import torch

from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.schema import Execution
from fieldcraft.train.engine import engine
from fieldcraft.verbs.once import once
from fieldcraft.verbs.subject import machine_share
from fieldcraft.verbs.work import Work


@dataclass(frozen=True)
class Done:
    """Of a training on some device."""

    machine: object
    step_mib: float | None = None


@dataclass(frozen=True)
class OnGpu:
    device: torch.device = field(default_factory=lambda: torch.device("cuda"))


@dataclass
class Card:
    """Counts like the allocator of a GPU, in bytes."""

    held: int = 0
    peak: int = 0

    def take(self, mib: int, kept_mib: int = 0) -> None:
        self.peak = max(self.peak, self.held + mib * 2**20)
        self.held += kept_mib * 2**20

    def reset(self) -> None:
        self.peak = self.held


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    found = Card()
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.reset_peak_memory_stats", found.reset)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda: found.held)
    monkeypatch.setattr("torch.cuda.max_memory_allocated", lambda: found.peak)
    return found


def test_a_gpu_counts_from_what_it_held_and_until_training_ends(card: Card) -> None:
    """The same training costs the same, whatever earlier ones left on the card and were asked to predict."""

    def train(work: object) -> Done:
        card.take(100, kept_mib=30)
        return Done(OnGpu())

    first = once(1.0, 100.0, train)  # type: ignore[type-var]
    card.take(500)  # a prediction of a whole case
    again = once(1.0, 100.0, train)  # type: ignore[type-var]
    assert first.memory_mib == again.memory_mib == 100


def test_a_cpu_says_what_was_expected_of_a_step(card: Card) -> None:
    card.take(100)
    done = Done(engine(Execution(threads=1)), step_mib=7.0)
    assert once(1.0, 100.0, lambda work: done).memory_mib == 7.0


def test_a_training_counts_on_its_share_and_not_on_what_others_leave_at_the_moment() -> None:
    done = Done(engine(Execution(threads=1)))
    seen: list[float] = []

    def train(work: Work) -> Done:
        seen.append(work.free_mib)
        return done

    once(1.0, 123.0, train)  # type: ignore[type-var]
    assert seen == [123.0]


def test_workers_share_cores_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = replace(machine_facts(), free_mib=6000, gpu_memory_mib=900)
    monkeypatch.setattr("fieldcraft.verbs.subject.known_machine", lambda cache, budget_s: whole)
    assert machine_share(3, 2, budget_s=60.0) == replace(whole, cores=2, free_mib=2000, gpu_memory_mib=300)
