"""Small kernels: stack 3x3 convolutions instead of using larger ones.

Helps: two 3x3 steps see the 5x5 px of one larger one, three see 7x7, with fewer weights and one or two more
non-linear steps on the way.
Hurts: with very few layers on large images, where only a large kernel sees enough; the depth tip then adds stages.
Cost: 18 instead of 25 weights for a pair of channels at 5 px, 27 instead of 49 at 7 px.
Source: Simonyan and Zisserman 2014, arXiv:1409.1556, section 2.3.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rules import large_kernel
from fieldcraft.tips.rungs import convolutional, with_networks

KERNEL = 3


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Bring every larger kernel down to 3x3."""
    networks = convolutional(plan)
    if not networks:
        return Skipped(because="no network of the ladder has convolutions that could be changed")
    largest = max(network.kernel for network in networks)
    if largest < KERNEL:
        return Skipped(because=f"no kernel is larger than {largest}x{largest}")
    return Applied(plan=with_networks(plan, _smaller), because=_why(largest))


def _smaller(network: Network) -> Network:
    if isinstance(network, Cnn | ResNet) and network.kernel > KERNEL:
        return replace(network, kernel=KERNEL)
    return network


def _why(largest: int) -> str:
    if largest <= 5:
        return "two 3x3 steps see the same 5 px as one 5x5, with 18 instead of 25 weights for each pair of channels"
    steps = (largest - 1) // 2
    weights = f"{9 * steps} instead of {largest**2} weights for each pair of channels"
    return f"{steps} steps of 3x3 see the same {largest} px as one {largest}x{largest}, with {weights}"


TIP = Tip(
    name="small-kernels",
    decide=decide,
    refines=("architecture",),
    checks=(large_kernel.RULE,),
)
