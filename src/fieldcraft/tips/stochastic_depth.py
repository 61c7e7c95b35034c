"""Stochastic depth: in training, let each sample go without some of the residual branches, later ones more often.

Helps: deep residual networks that train for long: with 54 blocks and 500 passes the error on CIFAR-10 fell from 6.4 %
to 5.2 % in the paper below.
Hurts: networks of a few blocks, each of which is needed, and short training; both were not measured to gain here, so it
stays off below the numbers in this file.
Cost: no measurable time (branches are computed and zeroed, sample by sample); more steps to the same loss.
Source: Huang et al. 2016, arXiv:1603.09382 (the linear rule); Touvron et al. 2021, arXiv:2012.12877 (a share of 0.1).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rough import likely_epochs
from fieldcraft.tips.rungs import with_networks

SHARE = 0.1
BLOCKS, EPOCHS = 8, 60
"""Both have to be reached."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Drop branches of deep residual networks that see their samples often."""
    blocks = max((_blocks(rung.network) for rung in plan.ladder.rungs), default=0)
    epochs = likely_epochs(brief)
    if not blocks:
        return Skipped(because="no network of the ladder has residual blocks")
    facts = f"{blocks} residual blocks and about {epochs} passes"
    if blocks < BLOCKS or epochs < EPOCHS:
        return Skipped(because=f"{facts}: it would take {BLOCKS} and {EPOCHS} for it to pay")
    return Applied(
        plan=with_networks(plan, _dropping),
        because=f"{facts}: the last is left out for {SHARE:.0%} of the samples, the first for {SHARE / blocks:.1%}",
    )


def _blocks(network: Network) -> int:
    return sum(network.depths) if isinstance(network, ResNet) else 0


def _dropping(network: Network) -> Network:
    return replace(network, drop_path=SHARE) if isinstance(network, ResNet) and _blocks(network) >= BLOCKS else network


TIP = Tip(name="stochastic-depth", decide=decide, refines=("architecture", "residual-connections"))
