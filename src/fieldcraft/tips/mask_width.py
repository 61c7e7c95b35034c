"""Mask width: the widest networks that still take enough steps within the budget.

Helps: whenever time is short for the voxels of a patch.
Hurts: the estimate may be off by two on an unusual machine; the steps that come out show it.
Cost: none.
Source: Li et al. 2020, "Budgeted training", arXiv:1905.04753; Tan and Le 2019, arXiv:1905.11946.
"""

from dataclasses import replace

from fieldcraft.plan.masks import Atrous, PatchInput, UNet
from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, costs, known
from fieldcraft.tips.rough import LARGE_SHARE, UNLIMITED_S, assumed_flops, training_seconds

BASES = (4, 6, 8, 12, 16, 24, 32)
"""Channels of the finest level."""
ENOUGH_STEPS = 1_500
"""That the largest network is to take."""
WIDEST = 320
TOLERANCE = 1.2
REACHED = 0.6
"""Of the assumed operations a second: norms, changes of patches and the loss take the rest (measured on 2 cores)."""
Narrowed = UNet | Atrous


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Widen or narrow U-Nets and atrous networks to what the budget carries."""
    _, sample, _ = known(brief, plan)
    if not any(isinstance(rung.network, Narrowed) for rung in plan.ladder.rungs):
        return Skipped(because="no network of the ladder has levels whose width decides its time")
    budget_s = brief.budget.seconds
    seconds = LARGE_SHARE * (UNLIMITED_S if budget_s is None else training_seconds(brief, budget_s))
    affordable = REACHED * seconds * assumed_flops(brief) / (2 * 3 * ENOUGH_STEPS * plan.batch.size)
    rungs, chosen = list(plan.ladder.rungs), 0
    for place in range(len(rungs) - 1, -1, -1):
        network = rungs[place].network
        if isinstance(network, Narrowed):
            chosen = max(BASES[0], chosen // 2) if chosen else _widest(network, sample, brief.outputs, affordable)
            rungs[place] = replace(rungs[place], network=_with_base(network, chosen))
    changed = replace(plan, ladder=replace(plan.ladder, rungs=tuple(rungs)))
    cost = max(macs(rung.network, sample, brief.outputs) for rung in rungs if isinstance(rung.network, Narrowed))
    within = "without a limit" if budget_s is None else f"in {budget_s:.0f} s"
    return Applied(
        plan=changed,
        because=f"{ENOUGH_STEPS:,} steps of {plan.batch.size} patches {within} allow {affordable / 1e9:.2g} G "
        f"multiply-adds a patch; the largest network takes {cost / 1e9:.2g} G",
    )


def macs(network: Narrowed, sample: PatchInput, classes: int) -> int:
    """Multiply-adds of one patch going forward."""
    return sum(count for count, _, _ in costs(network, sample, classes))


def _widest(network: Narrowed, sample: PatchInput, classes: int, affordable: float) -> int:
    fitting = [base for base in BASES if macs(_with_base(network, base), sample, classes) <= TOLERANCE * affordable]
    return max(fitting, default=BASES[0])


def _with_base(network: Narrowed, base: int) -> Narrowed:
    return replace(network, widths=tuple(min(WIDEST, base * 2**level) for level in range(len(network.widths))))


TIP = Tip(name="mask-width", decide=decide, refines=("mask-network", "mask-depth", "output-stride"), inputs=INPUTS)
