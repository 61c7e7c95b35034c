"""Workers and threads of a proof are a measured choice."""

import os
from dataclasses import dataclass, field

import pytest

from fieldcraft.proof.share import Share
from fieldcraft.records.proof import Cost, Outcome, Trial
from fieldcraft.verbs.proof_share import CLOCK, StepClock, measured_share


@dataclass
class Pretended:
    """An engine whose steps take as long as it is told."""

    places: int
    seconds: float | None
    begun: list[Trial] = field(default_factory=list)
    closed: bool = False

    def start(self, trial: Trial) -> None:
        self.begun.append(trial)

    def ended(self, timeout_s: float) -> Outcome | None:
        assert len(self.begun) == self.places, "all places must be taken while steps are timed"
        return None if self.seconds is None else Outcome(trial=self.begun[0], score=0, cost=Cost(seconds=self.seconds))

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("alone", "together", "best"),
    [
        (1.0, 0.9, Share(workers=4, threads=1)),
        (1.0, 0.2, Share(workers=1, threads=4)),
        (None, 0.9, Share(workers=1, threads=4)),
        (1.0, None, Share(workers=4, threads=1)),
    ],
)
def test_what_does_most_steps_is_chosen(alone: float | None, together: float | None, best: Share) -> None:
    made: list[Pretended] = []

    def engine(workers: int, threads: int) -> Pretended:
        made.append(Pretended(workers, alone if threads == 1 else together))
        return made[-1]

    assert measured_share(4, engine) == best
    assert [one.places for one in made] == [4, 1] and all(one.closed for one in made)


def test_the_clock_times_real_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    before = torch.get_num_threads()
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", str(before))
    outcome = StepClock(seconds=0.05)()(Trial(stage="confirm", arm=CLOCK, pair=0))
    assert outcome.cost.seconds is not None and outcome.cost.seconds > 0
    assert torch.get_num_threads() == before
