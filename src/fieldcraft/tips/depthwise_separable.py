"""Depthwise separable: look around in each channel alone, then mix channels at each position.

Only where predictions have a limit (`prediction.limit_macs`, `prediction.limit_ms`) that dense convolutions exceed.
Then the first of these that fits is taken: separable, half as wide and dense, half as wide and separable, and so on.
Multiply-adds are counted; milliseconds are measured, since depthwise steps can take longer than they count.

Helps: networks on processors and phones: an eighth of the multiply-adds for about one point of accuracy on ImageNet.
Hurts: on a GPU, depthwise steps wait for memory; networks that are small already lose more accuracy: 5.4
points (-1.0 to 11.7, three seeds of 200 steps, validation images of CIFAR-10 at 16 px) for a fifth of 1.2 M.
Cost: 1/channels + 1/k^2 of the dense convolution.
Source: Howard et al. 2017, arXiv:1704.04861; Chollet 2016, arXiv:1610.02357.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite

from fieldcraft.plan.schema import Cnn, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, PredictionTime, Skipped, Tip
from fieldcraft.tips.rough import macs
from fieldcraft.tips.rules import depthwise_candidate
from fieldcraft.tips.rungs import Convolutional, convolutional

NARROWEST = 8
"""Channels below which no stage is narrowed."""


@dataclass(frozen=True)
class _Cost:
    """What one prediction takes."""

    macs: int
    ms: float | None
    """None where no limit asks for it; infinite where it could not be measured."""

    def fits(self, plan: Plan) -> bool:
        limits = plan.prediction
        return (limits.limit_macs is None or self.macs <= limits.limit_macs) and (
            limits.limit_ms is None or (self.ms is not None and self.ms <= limits.limit_ms)
        )

    def __str__(self) -> str:
        counted = f"{self.macs / 1e6:.3g} M"
        if self.ms is None:
            return counted
        return f"{counted}, {self.ms:.3g} ms" if isfinite(self.ms) else f"{counted}, not timed"


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Make convolutions separable, and narrower, where a limit asks for it and nothing less does."""
    if not convolutional(plan):
        return Skipped(because="no network of the ladder has convolutions that could be changed")
    if plan.prediction.limit_macs is None and plan.prediction.limit_ms is None:
        largest = max(macs(network, brief, plan.input) for network in convolutional(plan))
        return Skipped(
            because=f"no limit on predictions (prediction.limit_macs, prediction.limit_ms): the largest network takes "
            f"{largest / 1e6:.3g} M multiply-adds a sample"
        )
    questions = tuple(question for place in _places(plan) for _, question in _candidates(plan, place))
    if plan.prediction.limit_ms is not None and any(brief.measured(one.key) is None for one in questions):
        return Ask(measurements=questions)
    return _chosen(brief, plan)


def _chosen(brief: Brief, plan: Plan) -> Applied | Skipped:
    changed, said = plan, []
    for place in _places(plan):
        costs = [(network, _cost(brief, plan, network, question)) for network, question in _candidates(plan, place)]
        fitting = [(network, cost) for network, cost in costs if cost.fits(plan)]
        network, cost = fitting[0] if fitting else min(costs, key=lambda pair: (pair[1].ms or 0.0, pair[1].macs))
        changed = _with_network(changed, place, network)
        said.append(_words(plan.ladder.rungs[place].name, costs[0], (network, cost), fits=bool(fitting)))
    limit = " and ".join(_limits(plan))
    if changed == plan and not any(network.separable for network in convolutional(plan)):
        return Skipped(because=f"{_shortened(said)}: what there is for a limit of {limit}")
    return Applied(plan=changed, because=f"limit {limit} a sample: {_shortened(said)}")


def _places(plan: Plan) -> tuple[int, ...]:
    return tuple(place for place, rung in enumerate(plan.ladder.rungs) if isinstance(rung.network, Cnn | ResNet))


def _candidates(plan: Plan, place: int) -> Iterator[tuple[Convolutional, PredictionTime]]:
    """The network dense and separable, then half as wide, and so on; each with the question how long it takes."""
    network = plan.ladder.rungs[place].network
    assert isinstance(network, Cnn | ResNet)
    while True:
        for separable in (False, True):
            candidate = replace(network, separable=separable)
            yield candidate, PredictionTime(plan=_with_network(plan, place, candidate), rung=place)
        narrower = replace(network, widths=tuple(max(min(w, NARROWEST), w // 2) for w in network.widths))
        if narrower == network:
            return
        network = narrower


def _with_network(plan: Plan, place: int, network: Convolutional) -> Plan:
    rungs = list(plan.ladder.rungs)
    rungs[place] = replace(rungs[place], network=network)
    return replace(plan, ladder=replace(plan.ladder, rungs=tuple(rungs)))


def _cost(brief: Brief, plan: Plan, network: Convolutional, question: PredictionTime) -> _Cost:
    answer = brief.measured(question.key) if plan.prediction.limit_ms is not None else None
    return _Cost(macs(network, brief, plan.input), None if answer is None else answer.value)


def _words(name: str, before: tuple[Convolutional, _Cost], after: tuple[Convolutional, _Cost], *, fits: bool) -> str:
    (dense, dense_cost), (network, cost) = before, after
    if network == dense:
        return f"{name} {cost} dense" if fits else f"{name} {cost} dense, above it"
    how = "separable" if network.separable else "dense"
    if network.widths != dense.widths:
        how += f" {network.widths[0]} wide"
    return f"{name} {dense_cost} dense, {cost} {how}" + ("" if fits else ", above it")


def _limits(plan: Plan) -> Iterator[str]:
    if plan.prediction.limit_macs is not None:
        yield f"{plan.prediction.limit_macs / 1e6:.3g} M multiply-adds"
    if plan.prediction.limit_ms is not None:
        yield f"{plan.prediction.limit_ms:.3g} ms"


def _shortened(said: list[str]) -> str:
    """The largest network comes last and matters most."""
    return "; ".join(said[-2:])


TIP = Tip(
    name="depthwise-separable",
    decide=decide,
    refines=("architecture", "depth-and-strides", "residual-connections", "width"),
    checks=(depthwise_candidate.RULE,),
)
