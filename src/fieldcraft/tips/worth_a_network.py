"""Worth a network: with a handful of samples leave networks out, as nothing could tell them from a baseline.

The baselines always run, and the ladder compares with them at run time. This only spares networks that would be chosen
or dropped by chance. For tables it says what a flexible probe is worth there, but leaves the choice to the ladder.

Helps: tiny sets, where validation has a few samples and linear models are hard to beat.
Hurts: sets whose few samples happen to suit a network. With 20 training samples one of two networks was best in 7 of 27
splits of nine sets, by 4 points at most; the baselines were in the other 20, by up to 38 (points of
accuracy, or of RMSE over deviation).
Cost: none; it saves the networks' time.
Source: Grinsztajn et al. 2022, arXiv:2207.08815 (tables).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Imported, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

LEAST_TRAIN = 30
"""Training samples below which no network is trained."""
LEAST_LEARNT = 200
"""Samples that probes must have learnt from to be told of: from fewer, their ratio hangs on one or two answers."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Shorten the ladder to its baselines where samples are very few."""
    rungs, train = plan.ladder.rungs, brief.data.train
    if not rungs:
        return Skipped(because="the ladder has no networks")
    if any(isinstance(rung.network, Imported) for rung in rungs):
        return Skipped(because="the network is your own")
    if not plan.ladder.baselines:
        return Skipped(because="the ladder has no baselines that could stand in for a network")
    if train >= LEAST_TRAIN:
        return Skipped(because=f"{train:,} training samples{_told(brief)}: the ladder decides at run time")
    return Applied(
        plan=replace(plan, ladder=replace(plan.ladder, rungs=())),
        because=f"{train} training and {brief.data.validation} validation samples, fewer than {LEAST_TRAIN} to learn "
        "from: baselines alone",
    )


def _told(brief: Brief) -> str:
    noise = brief.data.deep.noise
    curve = noise.curve.value if noise is not None and noise.curve is not None else None
    if brief.table is None or curve is None or curve.samples[-1] < LEAST_LEARNT:
        return ""
    side = "below" if curve.flexible > 0 else "above"
    return f", a flexible probe's error {abs(curve.flexible):.0%} {side} a linear one's"


TIP = Tip(name="worth-a-network", decide=decide, refines=("architecture",))
