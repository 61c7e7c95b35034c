"""How many workers a proof has, with how many threads each: tried out on this machine when a proof begins."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from statistics import median

from fieldcraft.proof.engine import Engine, Run
from fieldcraft.proof.share import Share, best_share
from fieldcraft.proof.workers import Processes
from fieldcraft.records.proof import Arm, Cost, Outcome, Trial

CLOCK = Arm(name="clock", kind="base", on=())
STEPS_S, WARM_UP = 1.5, 5
PATIENCE_S = 30.0
WORTH_S = 300.0
"""Budget from which on the seconds that it takes are small beside it."""


@dataclass(frozen=True)
class StepClock:
    """What a worker is given: training steps of a small convolutional network, timed for a while."""

    seconds: float = STEPS_S

    def __call__(self) -> Run:
        """Make the network; what comes back times its steps."""
        import os

        import torch
        from torch import nn

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        net = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
        )  # fmt: skip
        images, labels = torch.rand(64, 3, 32, 32), torch.arange(64) % 10

        def run(trial: Trial) -> Outcome:
            taken: list[float] = []
            until = time.monotonic() + self.seconds
            while time.monotonic() < until or len(taken) <= WARM_UP:
                began = time.perf_counter()
                nn.functional.cross_entropy(net(images), labels).backward()  # type: ignore[no-untyped-call]
                net.zero_grad()
                taken.append(time.perf_counter() - began)
            return Outcome(trial=trial, score=0.0, cost=Cost(seconds=median(taken[WARM_UP:])))

        return run


def _processes(workers: int, threads: int) -> Engine:
    return Processes(StepClock(), workers, threads)


def measured_share(cores: int, engine: Callable[[int, int], Engine] = _processes) -> Share:
    """Workers with one thread each, or one with all, whichever does more steps while as many run as would.

    `engine`: makes one of so many workers and threads.
    """
    found = {threads: _seconds(engine(cores // threads, threads)) for threads in sorted({1, cores})}
    return best_share(cores, found)


def _seconds(engine: Engine) -> float:
    """Of a step, while all places are taken; infinite where that could not be measured."""
    with closing(engine):
        for place in range(engine.places):
            engine.start(Trial(stage="confirm", arm=CLOCK, pair=place))
        ended = [engine.ended(PATIENCE_S) for _ in range(engine.places)]
    seconds = [one.cost.seconds for one in ended if one is not None and one.cost.seconds is not None]
    return median(seconds) if seconds else float("inf")
