"""The learning-rate range test of a planned rung, on its own data, within a limit."""

import time
from collections.abc import Callable
from math import isfinite

import torch

from fieldcraft.build.clipping import build_clipping
from fieldcraft.build.loss import build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.build.regime import build_regime
from fieldcraft.fingerprint.rate_range import growing, run, suggestion
from fieldcraft.plan.schema import Plan, Sgd
from fieldcraft.records.fact import Fact
from fieldcraft.records.streams import stream_seed
from fieldcraft.tips.interface import RateRange
from fieldcraft.train.engine import engine
from fieldcraft.verbs.first_patches import first_patches
from fieldcraft.verbs.samples import Samples

SGD_RANGE, ADAPTIVE_RANGE = (1e-3, 10.0), (1e-5, 0.1)
"""Rates between which the test looks: of plain gradients, and of those divided by their size (AdamW, RMSProp)."""
RUNS = 3
LEAST_STEPS, MOST_STEPS = 30, 100
PROBES = 3


def range_test(question: RateRange, samples: Samples, limit_s: float) -> dict[str, Fact[float]]:
    """The peak rate and the ends of its interval, by their keys; nothing when time or data do not allow it.

    The first steps of a run of its own tell how many the limit carries.
    """
    plan = question.plan
    low, high = SGD_RANGE if isinstance(plan.optimiser, Sgd) else ADAPTIVE_RANGE
    machine = engine(plan.execution)
    with torch.random.fork_rng(devices=[machine.device] if machine.device.type == "cuda" else []):
        probe = _stepper(question, samples, "range-probe")
        probe(low)
        began = time.perf_counter()
        for _ in range(PROBES):
            probe(low)
        step_s = (time.perf_counter() - began) / PROBES
        steps = min(MOST_STEPS, int((limit_s / step_s - PROBES - 1) / RUNS))
        if steps < LEAST_STEPS:
            return {}
        rates = growing(low, high, steps)
        runs = [run(_stepper(question, samples, f"range-{number}"), rates) for number in range(RUNS)]
    found = suggestion(rates, runs)
    if found is None:
        return {}
    told = f"{found.runs} runs of up to {found.steps} steps, rates from {rates[0]:.2g} to {rates[-1]:.2g}"
    method = "learning-rate range test: where the loss falls fastest"
    return {
        question.key: Fact(value=found.rate, method=method, sample=told),
        question.low: Fact(value=found.low, method=f"{method}; lower end, 95 %", sample=told),
        question.high: Fact(value=found.high, method=f"{method}; upper end, 95 %", sample=told),
    }


def _stepper(question: RateRange, samples: Samples, name: str) -> Callable[[float], float]:
    """One training step at a rate, giving the loss before it; with weights and order of their own by name."""
    plan: Plan = question.plan
    rung = plan.ladder.rungs[question.rung]
    machine = engine(plan.execution)
    net = machine.place(
        build_network(
            rung.network, shape=samples.shape, outputs=samples.outputs, seed=plan.seed, name=name,
            initialisation=plan.initialisation, patches=first_patches(samples, plan), read_weights=False,
        )
    )  # fmt: skip
    optimiser = build_optimiser(net, plan.optimiser, rung.lr)
    clip = build_clipping(net, plan.clipping)
    batches = samples.batches("train", plan, machine.device, name=name, augment=True)
    regime = build_regime(plan.regime, build_loss(plan.task, samples.counts(), device=machine.device))
    taken = 0

    def step(rate: float) -> float:
        nonlocal taken
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = batches.training_batch(taken)
        machine.seed(stream_seed(plan.seed, "dropout", name, taken))
        optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for part in batch.parts(plan.batch.micro or len(batch.rows)):
            share = len(part.rows) / len(batch.rows)
            with machine.precision():
                loss = regime.step(net, part).total * share
            machine.backward(loss)
            total += float(loss.detach())
        if isfinite(total):
            if clip is not None:
                clip()
            optimiser.step()
        taken += 1
        return total

    return step
