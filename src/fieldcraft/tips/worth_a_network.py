"""Worth a network: leave out what can hardly win, where samples are few or a straight line says as much.

The baselines always run, and decide at the end; this only spares networks that would be trained for nothing.

Helps: small tables, where linear models and trees are hard to beat; the time goes to the network that is left.
Hurts: a set whose few samples happen to suit a larger network; more samples show it. With 20 samples a network was best
in 2 of 27 splits of ten small sets (by 1.6 points of accuracy and 3 % of the deviation). The straight line rests on one
set alone: of nine tables three splits of diabetes lay below, and all were won by a baseline.
Cost: none; it saves the larger networks' time.
Source: Grinsztajn et al. 2022, arXiv:2207.08815.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Imported, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

LEAST_TRAIN = 30
"""Training samples below which no network is trained: validation has too few to tell it from a baseline."""
STRAIGHT = 0.05
"""Share of a linear probe's error that a flexible one must save on a table before a larger network is trained."""
LEAST_LEARNT = 200
"""Samples that the probes must have learnt from: from fewer, the share hangs on one or two answers."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Shorten the ladder to its smallest network, or to the baselines."""
    rungs, train = plan.ladder.rungs, brief.data.train
    if not rungs:
        return Skipped(because="the ladder has no networks")
    if any(isinstance(rung.network, Imported) for rung in rungs):
        return Skipped(because="the network is your own")
    if not plan.ladder.baselines:
        return Skipped(because="the ladder has no baselines that could stand in for a network")
    if train < LEAST_TRAIN:
        return _left(
            plan, 0, f"{train} training and {brief.data.validation} validation samples, fewer than {LEAST_TRAIN}"
        )
    flexible = _flexible(brief)
    if brief.table is None or flexible is None:
        return Skipped(because=f"{train:,} training samples: the ladder decides at run time")
    told = f"a flexible probe's error is {abs(flexible):.0%} {'below' if flexible > 0 else 'above'} a linear one's"
    if flexible > STRAIGHT:
        return Skipped(because=f"{train:,} training samples, and {told}: the ladder decides at run time")
    return _left(plan, 1, told)


def _flexible(brief: Brief) -> float | None:
    noise = brief.data.deep.noise
    curve = noise.curve.value if noise is not None and noise.curve is not None else None
    return curve.flexible if curve is not None and curve.samples[-1] >= LEAST_LEARNT else None


def _left(plan: Plan, networks: int, why: str) -> Applied:
    kept = plan.ladder.rungs[:networks]
    what = f"the smallest network alone, {kept[0].name}" if kept else "baselines alone"
    return Applied(plan=replace(plan, ladder=replace(plan.ladder, rungs=kept)), because=f"{why}: {what}")


TIP = Tip(name="worth-a-network", decide=decide, refines=("architecture",))
