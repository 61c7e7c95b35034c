"""Gradient clipping: hold back single steps that are far larger than the others, where nothing else does.

Three kinds: by norm (all gradients together, to a norm known beforehand), AutoClip (to a percentile of the norms seen),
adaptive (each unit to a share of its weights; for networks without norms). All are set by `clipping.kind`.
Helps: recurrent networks, deep networks without norms, very small batches, rates at the edge of what trains.
Hurts: behind norms the size of a gradient means little, and a threshold that is met at every step is a lower rate in
disguise; AdamW divides by the size anyway. Off for shallow networks and those with norms: no gain was measured there.
Cost: one pass over the gradients a step; AutoClip keeps a thousand numbers.
Source: Pascanu et al. 2013, arXiv:1211.5063; Seetharaman et al. 2020, arXiv:2007.14469;
Brock et al. 2021, arXiv:2102.06171 (adaptive; shares for batches of 256 to 4,096 in its section 4.1).
"""

from dataclasses import replace

from fieldcraft.plan.schema import AdaptiveClip, Cnn, Mlp, Network, Plan, ResNet, Sgd
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

DEEP = 8
"""Layers without a norm above which clipping is worth it."""
SHARE, LARGE_BATCH_SHARE, LARGE_BATCH = 0.02, 0.01, 1_024


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Clip by unit where a deep network without norms meets plain gradients; say why not elsewhere."""
    networks = [rung.network for rung in plan.ladder.rungs]
    if not networks:
        return Skipped(because="the ladder has no networks")
    bare = max((_layers(network) for network in networks if _bare(network)), default=0)
    if bare >= DEEP and isinstance(plan.optimiser, Sgd):
        share = LARGE_BATCH_SHARE if plan.batch.size >= LARGE_BATCH else SHARE
        return Applied(
            plan=replace(plan, clipping=AdaptiveClip(share=share)),
            because=f"{bare} layers without a norm, and SGD: each unit's gradient up to {share:g} of its weights' norm",
        )
    if bare:
        why = (
            f"{bare} layers without a norm, fewer than {DEEP}"
            if bare < DEEP
            else "AdamW and RMSProp divide by the size"
        )
        return Skipped(because=f"{why}; a tenth of the rate holds them already")
    if all(isinstance(network, Cnn | ResNet | Mlp) for network in networks):
        return Skipped(because=f"norms hold the gradients of all {len(networks)} networks")
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
