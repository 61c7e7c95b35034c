"""Width: the widest networks that still see the data often enough within the budget.

A wide network that makes three passes loses to one of half the width that makes twenty. The cost is estimated from
multiply-adds here, to choose among sizes that differ by factors of two; how many steps fit is measured later.

Helps: whenever time is short for the number and the size of the samples.
Hurts: the estimate may be off by two on an unusual machine; the epochs that come out show it.
Cost: none.
Source: Li et al. 2020, "Budgeted training", arXiv:1905.04753; Tan and Le 2019, arXiv:1905.11946.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rough import affordable_macs, enough_epochs, macs
from fieldcraft.tips.rules import narrow_downsampling, odd_channel_count
from fieldcraft.tips.rungs import convolutional

BASES = (8, 12, 16, 24, 32, 48, 64)
"""Channels of the first stage."""
WIDEST_TINY = 32
"""Channels of the first stage for fewer than `TINY_TRAIN` samples."""
TINY_TRAIN = 2_000
WIDEST = 512
TOLERANCE = 1.2
"""By which a network may exceed what is affordable: the estimate is not better than that."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Widen or narrow convolutional networks to what the budget carries."""
    if not convolutional(plan):
        return Skipped(because="no network of the ladder has stages whose width decides its time")
    affordable = affordable_macs(brief)
    last = len(plan.ladder.rungs) - 1
    rungs = list(plan.ladder.rungs)
    chosen = 0
    # From the largest down: each smaller rung gets half the width of the one above it.
    for place in range(last, -1, -1):
        network = rungs[place].network
        if not isinstance(network, Cnn | ResNet):
            continue
        base = _widest(network, brief, plan, affordable) if not chosen else max(BASES[0], chosen // 2)
        chosen = base
        rungs[place] = replace(rungs[place], network=_with_base(network, base))
    changed = replace(plan, ladder=replace(plan.ladder, rungs=tuple(rungs)))
    return Applied(plan=changed, because=_why(brief, changed, affordable))


def _widest(network: Cnn | ResNet, brief: Brief, plan: Plan, affordable: float) -> int:
    most = WIDEST_TINY if brief.data.train < TINY_TRAIN else BASES[-1]
    fitting = [
        base
        for base in BASES
        if base <= most and macs(_with_base(network, base), brief, plan.input) <= TOLERANCE * affordable
    ]
    return max(fitting, default=BASES[0])


def _with_base(network: Cnn | ResNet, base: int) -> Cnn | ResNet:
    widths = tuple(min(WIDEST, base * 2**stage) for stage in range(len(network.widths)))
    return replace(network, widths=widths)


def _why(brief: Brief, plan: Plan, affordable: float) -> str:
    cost = max(macs(network, brief, plan.input) for network in convolutional(plan)) / 1e6
    seconds = brief.budget.seconds
    within = "without a limit" if seconds is None else f"in {seconds:.0f} s"
    return (
        f"about {enough_epochs(brief.data.train)} passes over {brief.data.train:,} samples {within} allow "
        f"{affordable / 1e6:.1f} M multiply-adds a sample; the largest network takes {cost:.1f} M"
    )


TIP = Tip(
    name="width",
    decide=decide,
    refines=("architecture", "depth-and-strides", "residual-connections"),
    checks=(narrow_downsampling.RULE, odd_channel_count.RULE),
)
