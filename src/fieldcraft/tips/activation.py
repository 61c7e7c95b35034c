"""Activation: rectifiers instead of functions that level off.

Helps: the slope is one wherever a unit is active, so gradients do not shrink from layer to layer.
Hurts: units that are never active never learn; a norm before the activation keeps about half of them active.
Cost: less than tanh: one comparison a number.
Source: Glorot et al. 2011, "Deep sparse rectifier neural networks", AISTATS; Krizhevsky et al. 2012, NeurIPS 25.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, EncodedUNet, Imported, Linear, Network, Plan, Pretrained, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rules import saturating_activations, two_activations_in_a_row
from fieldcraft.tips.rungs import with_networks
from fieldcraft.tips.watches import dead_units, saturated_units


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Use rectifiers in every network that has activations of ours."""
    depths = [_activations(rung.network) for rung in plan.ladder.rungs]
    deepest = max(depths, default=0)
    if deepest == 0:
        return Skipped(because="no network of the ladder has activations that could be changed")
    why = f"{deepest} activations in a row: the slope of tanh, at most 1, shrinks the gradient at each; relu keeps it"
    return Applied(plan=with_networks(plan, _rectified), because=why)


def _activations(network: Network) -> int:
    match network:
        case Linear() | Pretrained() | EncodedUNet() | Imported():
            return 0
        case Cnn():
            return len(network.widths) * network.depth
        case ResNet():
            return len(network.widths) + 2 * sum(network.depths)
        case _:
            return len(network.widths)


def _rectified(network: Network) -> Network:
    if isinstance(network, Linear | Pretrained | EncodedUNet | Imported):
        return network
    return replace(network, activation="relu")


TIP = Tip(
    name="activation",
    decide=decide,
    refines=("architecture", "residual-connections"),
    checks=(two_activations_in_a_row.RULE, saturating_activations.RULE),
    watches=(
        dead_units.WATCH,
        saturated_units.WATCH,
    ),
)
