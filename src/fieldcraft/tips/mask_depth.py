"""Mask depth: halve the map, axis by axis, until the deepest level sees the objects whole, with a margin.

An axis whose voxels are twice as long as the others' is left alone, and its kernels are flat, until the others have
caught up with it; so that each level sees about as far in every direction, in millimetres.

Helps: a voxel in the middle of a large object is told by the object's rim.
Hurts: the deepest maps of objects that are seen whole anyway only add weights.
Cost: each level more adds a quarter (in 2-D) or an eighth (in 3-D) of the multiply-adds of the one before it, and four
times its weights where channels double.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z; Luo et al. 2017, arXiv:1701.04128 (the field that takes
effect is smaller than the one that is computed).
"""

from dataclasses import replace

from fieldcraft.plan.masks import PatchInput, UNet
from fieldcraft.plan.schema import Network, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import (
    INPUTS,
    extents,
    field,
    known,
    spacing_of,
    total_stride,
    unets,
)

RATIO = 1.6
"""Field of the deepest level over objects, at least: voxels near the rim of a field hardly count."""
MOST_LEVELS = 6
LEAST_MAP = 4
"""Voxels a side that the deepest map keeps along each axis that was shrunk."""
COARSE = 2.0
"""Spacing over the finest one, from which on an axis waits for the others."""
WIDEST = 320
DEPTHS = {"small": 1}
"""Convolutions a level of rungs by name; two in all others."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Give every U-Net the fewest levels whose field covers the objects."""
    facts, sample, _ = known(brief, plan)
    if not unets(plan):
        return Skipped(because="no network of the ladder has levels that could be changed")
    rungs = tuple(replace(rung, network=_deep(rung.network, rung.name, facts, sample)) for rung in plan.ladder.rungs)
    changed = replace(plan, ladder=replace(plan.ladder, rungs=rungs))
    largest = unets(changed)[-1]
    wanted = _wanted(facts, sample)
    sees, stride = field(largest), total_stride(largest)
    ratio = min(one / size for one, size in zip(sees, wanted, strict=True))
    return Applied(
        plan=changed,
        because=f"{len(largest.widths)} levels: one voxel of the deepest stands for {_words(stride)} and sees "
        f"{_words(sees)} voxels, {ratio:.2g} times what nine of ten objects take up in a patch "
        f"({'x'.join(f'{one:.0f}' for one in wanted)})",
    )


def _wanted(facts: CaseFacts, sample: PatchInput) -> tuple[float, ...]:
    """What is to be seen along each axis: objects, as far as a patch has them."""
    return tuple(max(1.0, min(one, side)) for one, side in zip(extents(facts, sample), sample.patch, strict=True))


def _deep(network: Network, name: str, facts: CaseFacts, sample: PatchInput) -> Network:
    if not isinstance(network, UNet):
        return network
    wanted, base, depth = _wanted(facts, sample), network.widths[0], DEPTHS.get(name, 2)
    most = max(max(kernel) for kernel in network.kernels)
    spacing, sides = list(spacing_of(facts, sample)), list(sample.patch)
    kernels, strides = [_kernel(spacing, sides, most)], list[tuple[int, ...]]()
    chosen = network
    while len(kernels) < MOST_LEVELS:
        stride = _stride(spacing, sides, most)
        if max(stride) == 1:
            break
        strides.append(stride)
        spacing = [one * step for one, step in zip(spacing, stride, strict=True)]
        sides = [-(-side // step) for side, step in zip(sides, stride, strict=True)]
        flat = _kernel(spacing, sides, most)
        kernels.append(tuple(most if step > 1 else one for one, step in zip(flat, stride, strict=True)))
        chosen = _with(network, base, kernels, strides, depth)
        if all(sees >= RATIO * size for sees, size in zip(field(chosen), wanted, strict=True)):
            break
    return chosen if strides else _with(network, base, [*kernels, kernels[0]], [(1,) * len(sides)], depth)


def _with(network: UNet, base: int, kernels: list[tuple[int, ...]], strides: list[tuple[int, ...]], depth: int) -> UNet:
    return replace(
        network,
        widths=tuple(min(max(base, WIDEST), base * 2**level) for level in range(len(kernels))),
        depths=(depth,) * len(kernels),
        decoder_depth=depth,
        kernels=tuple(kernels),
        strides=tuple(strides),
        downsample="stride" if most_stride(strides) <= max(max(one) for one in kernels) else "max-pool",
        deep_supervision=min(network.deep_supervision, len(kernels) - 2),
    )


def most_stride(strides: list[tuple[int, ...]]) -> int:
    """The largest step of all."""
    return max((max(one) for one in strides), default=1)


def _stride(spacing: list[float], sides: list[int], most: int) -> tuple[int, ...]:
    """2 along axes that are fine enough and keep a map, 1 along the others."""
    free = [place for place, side in enumerate(sides) if side >= 2 * LEAST_MAP and most > 1]
    if not free:
        return (1,) * len(sides)
    finest = min(spacing[place] for place in free)
    return tuple(2 if place in free and spacing[place] < COARSE * finest else 1 for place in range(len(sides)))


def _kernel(spacing: list[float], sides: list[int], most: int) -> tuple[int, ...]:
    """Flat along slices, and along axes that the others have not caught up with (unless the map shrinks along them)."""
    finest = min(one for one, side in zip(spacing, sides, strict=True) if side > 1 or max(sides) == 1)
    return tuple(1 if side == 1 or one >= COARSE * finest else most for one, side in zip(spacing, sides, strict=True))


def _words(sides: tuple[int, ...]) -> str:
    return "x".join(map(str, sides))


TIP = Tip(name="mask-depth", decide=decide, refines=("mask-network", "mask-kernels"), inputs=INPUTS)
