"""Patch memory: the patch shrinks until a training step on one patch fits.

What autograd keeps of a patch is counted from shapes, without running the network. Batches are cut into parts first,
down to one patch, since that changes no gradient (but for batch norm); only then does the patch shrink, by whole
strides, first along the axis where it exceeds the objects most. `execution.memory_mib` says how much may be taken; it
is 60 % of what is free otherwise.

Helps: large patches in wide networks, which would end in an error or in a kill for memory.
Hurts: a smaller patch sees less of what is around an object.
Cost: half a second a network, where it is close.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (patches are reduced until the network fits).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, lcm, prod

from fieldcraft.anatomy.patch_fit import Patch, fitting
from fieldcraft.plan.masks import Atrous, DeepMedic, EncodedUNet, PatchInput, UNet
from fieldcraft.plan.memory import allowed_mib
from fieldcraft.plan.schema import Network, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.tips.interface import Applied, Ask, MemoryNeed, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, Counted, costs, extents, known, total_stride

BYTES = 30
"""Of a step for each number that a convolution gives, about: maps of norm and activation, too, and gradients."""
COPIES = 24
"""Bytes for each weight: gradient, moments of the optimiser, average and snapshot."""
CLOSE = 0.3
"""Rough share of what may be taken, from which on it is counted in earnest."""
UNKNOWN = 8
"""By which sides of patches for one's own network are divisible."""
COARSEST = 32
"""By which encoders shrink a picture, most of them; where the facts of their weights are not at hand."""
STEPS = 16
"""In which a side shrinks at most; larger ones shrink by several strides at once."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Shrink the patch where even one patch is too much for the largest network."""
    facts, sample, _ = known(brief, plan)
    machine, rungs = brief.machine, plan.ladder.rungs
    bound = allowed_mib(plan.execution, machine.gpu_memory_mib if machine.gpu else machine.free_mib)
    rough = [_rough_mib(rung.network, sample, brief.outputs) for rung in rungs]
    close = [place for place, mib in enumerate(rough) if mib > CLOSE * bound]
    if not close:
        most = max(rough, default=0.0)
        return Skipped(because=f"a step on one patch takes {most:,.0f} MiB, about; {bound:,.0f} may be taken")
    way = _way(facts, sample, [_divisor(rungs[place].network, brief, len(sample.patch)) for place in close])
    smallest = tuple(map(min, sample.patch, way.least))
    for patch in (sample.patch, smallest):
        if asked := _unanswered(brief, plan, close, patch):
            return Ask(measurements=asked)
    before, least = (_need(brief, plan, close, patch) for patch in (sample.patch, smallest))
    if not before:
        return Skipped(because="the networks do not say from shapes alone what a step takes")
    if before <= bound:
        return Skipped(because=f"a step on one patch takes {before:,.0f} MiB; {bound:,.0f} may be taken")
    slope = (before - least) / max(1, prod(sample.patch) - prod(smallest))

    def may_fit(patch: Patch) -> bool:
        if _unanswered(brief, plan, close, patch):
            return least + slope * (prod(patch) - prod(smallest)) <= bound
        return _need(brief, plan, close, patch) <= bound

    found = fitting(sample.patch, may_fit, stride=way.stride, extent=way.extent, least=way.least) or smallest
    if asked := _unanswered(brief, plan, close, found):
        return Ask(measurements=asked)
    after = _need(brief, plan, close, found)
    still = "" if after <= bound else ", and none is small enough"
    return Applied(
        plan=replace(plan, input=replace(sample, patch=found)),
        because=f"{_words(found)} voxels instead of {_words(sample.patch)}: a step on one patch takes {after:,.0f} MiB "
        f"instead of {before:,.0f}; {bound:,.0f} may be taken{still}",
    )


@dataclass(frozen=True, kw_only=True)
class _Way:
    """How the patch shrinks."""

    stride: tuple[int, ...]
    extent: tuple[float, ...]
    least: tuple[int, ...]


def _way(facts: CaseFacts, sample: PatchInput, divisors: Sequence[tuple[int, ...]]) -> _Way:
    """By whole strides of every network, few steps a side, down to two of them: norms need two voxels of each map."""
    whole = tuple(
        1 if side == 1 else lcm(*along) for side, along in zip(sample.patch, zip(*divisors, strict=True), strict=True)
    )
    stride = tuple(one * -(-side // (STEPS * one)) for side, one in zip(sample.patch, whole, strict=True))
    extent = tuple(max(1.0, one) for one in extents(facts, sample))
    return _Way(stride=stride, extent=extent, least=tuple(2 * one for one in whole))


def _unanswered(brief: Brief, plan: Plan, rungs: list[int], patch: Patch) -> tuple[MemoryNeed, ...]:
    asked = (MemoryNeed(plan=plan, rung=place, patch=patch) for place in rungs)
    return tuple(one for one in asked if brief.measured(one.key) is None)


def _need(brief: Brief, plan: Plan, rungs: list[int], patch: Patch) -> float:
    """The most that a step on one patch takes, in MiB; networks that could not be looked at are left out."""
    answers = (brief.measured(MemoryNeed(plan=plan, rung=place, patch=patch).key) for place in rungs)
    return max((one.value for one in answers if one is not None and isfinite(one.value)), default=0.0)


def _rough_mib(network: Network, sample: PatchInput, classes: int) -> float:
    """Of a step on one patch; without end for networks that have to be looked at."""
    if not isinstance(network, Counted):
        return float("inf")
    layers = costs(network, sample, classes)
    return sum(BYTES * given + COPIES * weights for _, given, weights in layers) / 2**20


def _divisor(network: Network, brief: Brief, axes: int) -> tuple[int, ...]:
    """By how much the coarsest map is shrunk, along each axis."""
    match network:
        case UNet():
            return (*total_stride(network), *(1,) * axes)[:axes]
        case DeepMedic():
            return (lcm(*network.factors),) * axes
        case Atrous():
            return (network.output_stride,) * axes
        case EncodedUNet():
            maps = next((one.maps for one in brief.weights if one.digest == network.digest), ())
            return (max((reduction for _, reduction in maps), default=COARSEST),) * axes
        case _:
            return (UNKNOWN,) * axes


def _words(sides: tuple[int, ...]) -> str:
    return "x".join(map(str, sides))


TIP = Tip(name="patch-memory", decide=decide, refines=("patch-size", "slices-or-volumes"), inputs=INPUTS)
