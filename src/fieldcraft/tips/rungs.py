"""Changing the networks of a ladder, rung by rung."""

from collections.abc import Callable
from dataclasses import replace

from fieldcraft.plan.schema import Cnn, Network, Plan, ResNet

Convolutional = Cnn | ResNet


def with_networks(plan: Plan, change: Callable[[Network], Network]) -> Plan:
    """The plan with every rung's network changed; one's own networks are whatever `change` makes of them."""
    rungs = tuple(replace(rung, network=change(rung.network)) for rung in plan.ladder.rungs)
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs))


def convolutional(plan: Plan) -> tuple[Convolutional, ...]:
    """The convolutional networks of the ladder, small to large."""
    return tuple(rung.network for rung in plan.ladder.rungs if isinstance(rung.network, Cnn | ResNet))
