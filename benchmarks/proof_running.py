"""What running a proof costs beside training: time a trial, two workers against one, and memory over many trials.

Targets: 0.5 s a trial at most; two workers do 1.6 times as many trials a minute; 50 MiB over 500 trials at most.
Small convolutional networks on scikit-learn's digits, in real worker processes with a real journal; the time beside
training within `fieldcraft prove` itself is read from the journal of a proof on the same data. About 12 minutes on two
idle cores: `python benchmarks/proof_running.py`; `--smoke` takes some minutes and writes nothing.
"""

import argparse
import itertools
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

import result
from fieldcraft.proof.engine import Engine, Run
from fieldcraft.proof.journal import ProofJournal
from fieldcraft.proof.workers import Processes
from fieldcraft.records.proof import Arm, Cost, Outcome, Trial

ARM = Arm(name="base", kind="base", on=())
STEPS = {"full": 400, "screen": 5}
"""Training steps of a usual trial (1-2 s on one core) and of a short one."""


def make() -> Run:
    """A small network on digits, trained from scratch in every trial."""
    import os

    import torch
    from sklearn.datasets import load_digits

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    labels = torch.tensor(digits.target)

    def run(trial: Trial) -> Outcome:
        began = time.perf_counter()
        torch.manual_seed(trial.pair)
        net = torch.nn.Sequential(
            torch.nn.Conv2d(1, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, 3, padding=1),
            torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(256, 10),
        )  # fmt: skip
        optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        for _ in range(STEPS[trial.stage]):
            chosen = torch.randint(0, 1500, (64,))
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(net(images[chosen]), labels[chosen]).backward()
            optimiser.step()
        trained = time.perf_counter() - began
        with torch.no_grad():
            score = float((net(images[1500:]).argmax(1) == labels[1500:]).float().mean())
        return Outcome(trial=trial, score=score, cost=Cost(seconds=trained), seconds=time.perf_counter() - began)

    return run


@contextmanager
def warm(workers: int, threads: int) -> Iterator[Engine]:
    """An engine whose workers have made what they need."""
    with closing(Processes(make, workers, threads)) as engine:
        carry_out(engine, [Trial(stage="screen", arm=ARM, pair=pair) for pair in range(workers)], None)
        yield engine


def carry_out(engine: Engine, trials: list[Trial], journal: ProofJournal | None) -> list[Outcome]:
    """All trials, as many at once as there are places, each written down."""
    waiting, running, found = list(trials), 0, []
    while waiting or running:
        while waiting and running < engine.places:
            engine.start(waiting.pop(0))
            running += 1
        if outcome := engine.ended(0.5):
            running -= 1
            if outcome.error:
                raise SystemExit(f"a trial failed: {outcome.error}")
            if journal:
                journal.write(outcome)
                journal.tick(time.monotonic())
            found.append(outcome)
    return found


def trials_of(stage: str, count: int, first: int = 0) -> list[Trial]:
    return [Trial(stage=stage, arm=ARM, pair=first + pair) for pair in range(count)]  # type: ignore[arg-type]


def overhead(count: int) -> dict[str, object]:
    """Seconds a trial beyond training: messages, evaluation, journal."""
    with tempfile.TemporaryDirectory() as folder, warm(1, 1) as engine:
        journal, beside = ProofJournal(Path(folder)), []
        for trial in trials_of("full", count):
            began = time.perf_counter()
            (outcome,) = carry_out(engine, [trial], journal)
            assert outcome.cost.seconds is not None
            beside.append(time.perf_counter() - began - outcome.cost.seconds)
    return {"target_s": 0.5, **result.summary(beside)}


def prove_overhead(budget: str) -> dict[str, object]:
    """The same within `fieldcraft prove` on digits: from one outcome of a worker to its next, less training."""
    from fieldcraft.verbs.prove import prove

    with tempfile.TemporaryDirectory() as folder:
        prove("digits", budget=budget, trial_budget="2s", fit_budget="30s", out=Path(folder) / "proof", workers=1)
        outcomes = ProofJournal(Path(folder) / "proof").read()
    lines = defaultdict(list)
    for one in outcomes:
        lines[one.worker].append(one)
    beside = [
        after.at_s - before.at_s - after.cost.seconds
        for line in lines.values()
        for before, after in itertools.pairwise(line)
        if after.cost.seconds is not None
    ]
    return {"target_s": 0.5, **result.summary(beside)}


def throughput(count: int, rounds: int) -> dict[str, object]:
    """Trials a minute of one worker with one and with two threads, and of two workers; rounds are interleaved."""
    shares = {"1 worker x 1 thread": (1, 1), "1 worker x 2 threads": (1, 2), "2 workers x 1 thread": (2, 1)}
    rates: dict[str, list[float]] = {name: [] for name in shares}
    for _ in range(rounds):
        for name, (workers, threads) in shares.items():
            with warm(workers, threads) as engine:
                began = time.perf_counter()
                carry_out(engine, trials_of("full", count), None)
                rates[name].append(60 * count / (time.perf_counter() - began))
    two = rates["2 workers x 1 thread"]
    ratios = {
        f"2 workers against {name}": result.summary([a / b for a, b in zip(two, rates[name], strict=True)])
        for name in list(shares)[:2]
    }
    return {"target": 1.6, "trials_a_minute": {name: result.summary(rate) for name, rate in rates.items()}, **ratios}


def memory(count: int) -> dict[str, object]:
    """Resident MiB of the worker and of this process, from the tenth short trial to the last."""

    def resident() -> tuple[float, float]:
        own = psutil.Process()
        return own.memory_info().rss / 2**20, sum(one.memory_info().rss for one in own.children()) / 2**20

    with tempfile.TemporaryDirectory() as folder, warm(1, 1) as engine:
        journal = ProofJournal(Path(folder))
        carry_out(engine, trials_of("screen", 10), journal)
        before = resident()
        carry_out(engine, trials_of("screen", count - 10, first=10), journal)
        after = resident()
    return {"target_mib": 50, "trials": count, "worker_mib": after[1] - before[1], "parent_mib": after[0] - before[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few trials, to see that it runs; nothing is written")
    smoke = parser.parse_args().smoke
    measured = {
        "overhead_s": overhead(3 if smoke else 30),
        "overhead_within_prove_s": prove_overhead("75s" if smoke else "4m"),
        "two_workers": throughput(4 if smoke else 20, 1 if smoke else 5),
        "memory": memory(60 if smoke else 500),
    }
    if smoke:
        print({name: {key: value for key, value in one.items() if key != "values"} for name, one in measured.items()})
        return
    result.write("proof_running", "what running a proof costs beside training", measured)


if __name__ == "__main__":
    main()
