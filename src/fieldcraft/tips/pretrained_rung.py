"""The rung of a ladder whose network was taken over."""

from dataclasses import replace

from fieldcraft.plan.schema import Plan, Pretrained, Rung, Tuning


def place_of(plan: Plan) -> int | None:
    """Where it stands, or None."""
    for place, rung in enumerate(plan.ladder.rungs):
        if isinstance(rung.network, Pretrained):
            return place
    return None


def tuning_of(plan: Plan) -> Tuning | None:
    """How it is tuned, or None where there is none."""
    place = place_of(plan)
    network = None if place is None else plan.ladder.rungs[place].network
    return network.tuning if isinstance(network, Pretrained) else None


def with_rung(plan: Plan, rung: Rung) -> Plan:
    """The plan with another rung in its place."""
    place = place_of(plan)
    rungs = tuple(rung if index == place else one for index, one in enumerate(plan.ladder.rungs))
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs))


def with_network(plan: Plan, network: Pretrained) -> Plan:
    """The plan with another network in its place."""
    place = place_of(plan)
    assert place is not None
    return with_rung(plan, replace(plan.ladder.rungs[place], network=network))


def with_tuning(plan: Plan, tuning: Tuning) -> Plan:
    """The plan with its network tuned in another way."""
    place = place_of(plan)
    assert place is not None
    network = plan.ladder.rungs[place].network
    assert isinstance(network, Pretrained)
    return with_network(plan, replace(network, tuning=tuning))
