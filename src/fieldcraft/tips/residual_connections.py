"""Residual connections: let the larger networks add blocks to their input instead of replacing it.

Helps: gradients reach early layers unchanged, so depth no longer makes training harder.
Hurts: little; in networks of two or three layers there is nothing to carry.
Cost: one addition a block; the input of each block is kept until its end.
Source: He et al. 2015, arXiv:1512.03385.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, Mlp, Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rules import deep_without_residuals
from fieldcraft.tips.rungs import with_networks

LEAST_CONVOLUTIONS = 4
LEAST_MLP_LAYERS = 3


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Turn deep convolutional networks into residual ones, and add skips to deep fully connected ones."""
    depths = [_layers(rung.network) for rung in plan.ladder.rungs]
    changed = with_networks(plan, _residual)
    reached = [depth for depth, rung in zip(depths, changed.ladder.rungs, strict=True) if _is_residual(rung.network)]
    if not reached:
        deepest = max(depths, default=0)
        return Skipped(
            because=f"the deepest network that could be changed has {deepest} layers: too few to need a way around"
        )
    return Applied(
        plan=changed, because=f"{max(reached)} layers deep: blocks of two add to their input, so gradients pass"
    )


def _layers(network: Network) -> int:
    match network:
        case Cnn():
            return len(network.widths) * network.depth
        case ResNet():
            return len(network.widths) + 2 * sum(network.depths)
        case Mlp():
            return len(network.widths)
        case _:
            return 0


def _residual(network: Network) -> Network:
    if isinstance(network, Mlp) and _layers(network) >= LEAST_MLP_LAYERS:
        return replace(network, residual=True)
    # One convolution a stage leaves nothing between the halvings to skip.
    if not isinstance(network, Cnn) or network.depth < 2 or _layers(network) < LEAST_CONVOLUTIONS:
        return network
    return ResNet(
        widths=network.widths,
        depths=blocks(len(network.widths)),
        kernel=network.kernel,
        downsample=network.downsample,
        norm=network.norm,
        activation=network.activation,
        head=network.head,
        levels=network.levels,
        separable=network.separable,
        dropout=network.dropout,
    )


def blocks(stages: int) -> tuple[int, ...]:
    """A block in every second stage, counted from the last: about as many layers as two convolutions a stage."""
    return tuple((stages - stage) % 2 for stage in range(stages))


def _is_residual(network: Network) -> bool:
    return isinstance(network, ResNet) or (isinstance(network, Mlp) and network.residual)


TIP = Tip(
    name="residual-connections",
    decide=decide,
    refines=("architecture", "small-kernels", "padding", "depth-and-strides"),
    checks=(deep_without_residuals.RULE,),
)
