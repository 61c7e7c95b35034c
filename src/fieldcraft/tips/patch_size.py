"""Patch size: the whole case where it fits, else as much of it as memory and time allow.

What lies outside a patch cannot help to tell what is inside. Sides shrink where they are longest in millimetres, so
that a patch looks as far in every direction.

Helps: large objects, and classes that only their surroundings tell apart.
Hurts: larger patches mean fewer of them in the same time, and less variety in a batch.
Cost: time and memory in proportion to the voxels.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z; Kamnitsas et al. 2017, arXiv:1603.05959, section 2.3.
"""

from dataclasses import replace
from math import prod

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Tip
from fieldcraft.tips.masks import INPUTS, extents, known, shape_of, spacing_of

MOST_CPU, MOST_GPU = 100_000, 2_000_000
"""Voxels of a patch, at most; more of them and a minute brings too few steps."""
VOXEL_BYTES = 6_000
"""Of memory for each voxel of a patch in training, about, for a batch of two in a network of 32 channels."""
MEMORY_SHARE = 0.5
EVEN = 4
"""Sides above 16 are multiples of this, so that maps can be halved twice without rest."""


def decide(brief: Brief, plan: Plan) -> Applied:
    """Shrink the median case until it may be a patch."""
    facts, sample, _ = known(brief, plan)
    machine = brief.machine
    free_mib = machine.gpu_memory_mib if machine.gpu else machine.free_mib
    most = min(MOST_GPU if machine.gpu else MOST_CPU, int(MEMORY_SHARE * free_mib * 2**20 / VOXEL_BYTES))
    shape = shape_of(facts, sample)
    sides = [1.0 if side == 1 else max(1.0, length) for side, length in zip(sample.patch, shape, strict=True)]
    spacing = spacing_of(facts, sample)
    while prod(sides) > most and max(sides) > 1:
        axis = max(range(len(sides)), key=lambda place: (sides[place] > 1, sides[place] * spacing[place]))
        sides[axis] = max(1.0, sides[axis] * 0.95)
    patch = tuple(_even(side) for side in sides)
    objects = extents(facts, sample)
    covers = (
        min(side / one for side, one in zip(patch, objects, strict=True) if side > 1 or one <= 1)
        if any(side > 1 or one <= 1 for side, one in zip(patch, objects, strict=True))
        else 0.0
    )
    whole = all(side >= 0.95 * length for side, length in zip(patch, shape, strict=True))
    of_case = "all of the median case" if whole else f"{prod(patch) / prod(shape):.0%} of the median case"
    return Applied(
        plan=replace(plan, input=replace(sample, patch=patch)),
        because=f"{'x'.join(map(str, patch))} voxels, {of_case} ({'x'.join(f'{one:.0f}' for one in shape)}) and "
        f"{covers:.2g} times nine of ten objects ({'x'.join(f'{one:.0f}' for one in objects)}); at most {most:,} fit",
    )


def _even(side: float) -> int:
    if side <= 16:
        return max(1, min(4096, round(side)))
    return min(4096, EVEN * round(side / EVEN))


TIP = Tip(name="patch-size", decide=decide, refines=("slices-or-volumes",), inputs=INPUTS)
