"""Gradient clipping: hold back single steps that are far larger than the others, where nothing else does.

Three kinds: by norm (all gradients together, to a norm known beforehand), AutoClip (to a percentile of the norms seen),
adaptive (each unit to a share of its weights). All are set by `clipping.kind`.
Helps: recurrent networks, very small batches, rates at the edge of what trains: 8 layers without norms at the full rate
on digits reached 82 % (three seeds, far apart) and 97.5 % with adaptive clipping. So it is set there.
Hurts: rates that are careful already: on digits, 8 layers without norms at a tenth of the rate fell from 97.4 % to
90.8 % with adaptive clipping (200 steps, 3 seeds, validation), and with norms clipping to norm 1 did nothing (98.4 %
after 98.6 %, less than the noise). AdamW divides by the size anyway. So it stays off there.
Cost: one pass over the gradients a step; AutoClip keeps a thousand numbers.
Source: Pascanu et al. 2013, arXiv:1211.5063; Seetharaman et al. 2020, arXiv:2007.14469;
Brock et al. 2021, arXiv:2102.06171 (adaptive; shares for batches of 256 to 4,096 in its section 4.1).
"""

from dataclasses import replace

from fieldcraft.plan.schema import AdaptiveClip, Cnn, Linear, Mlp, Network, NoClipping, Plan, ResNet, Sgd
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

FULL = 0.1
"""Peak rates of SGD that norms are needed for, or this; the rule stays below it where there are none."""
DEEP = 8


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Clip by unit where plain gradients meet a full rate without norms; else say what holds them."""
    networks = [rung.network for rung in plan.ladder.rungs]
    if not networks:
        return Skipped(because="the ladder has no networks")
    if plan.clipping not in (NoClipping(), AdaptiveClip()):
        return Skipped(because=f"it is there already: {plan.clipping.kind}")
    bare = max((_layers(network) for network in networks if _bare(network)), default=0)
    if bare:
        rate = max(rung.lr for rung in plan.ladder.rungs if _bare(rung.network))
        if rate >= FULL and bare >= DEEP and isinstance(plan.optimiser, Sgd):
            return Applied(
                plan=replace(plan, clipping=AdaptiveClip()),
                because=f"{bare} layers without a norm at a rate of {rate:g}: some runs never learn unclipped",
            )
        return Skipped(
            because=f"{bare} layers without a norm: a peak rate of {rate:g} has to hold them; clipping cost accuracy"
        )
    if all(isinstance(network, Cnn | Linear | Mlp | ResNet) for network in networks):
        return Skipped(
            because=f"{plan.batch.size} samples a step, and norms hold the gradients of all {len(networks)} networks"
        )
    return Skipped(because='nothing known asks for it; if your own network is recurrent: --set clipping.kind="norm"')


def _bare(network: Network) -> bool:
    return isinstance(network, Cnn | ResNet | Mlp) and network.norm == "none"


def _layers(network: Network) -> int:
    match network:
        case Cnn():
            return len(network.widths) * network.depth + 1
        case ResNet():
            return len(network.widths) + 2 * sum(network.depths) + 1
        case Mlp():
            return len(network.widths) + 1
        case _:
            return 0


TIP = Tip(name="gradient-clipping", decide=decide)
