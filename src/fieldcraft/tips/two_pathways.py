"""Two pathways: beside the patch itself, a second look at its wider surroundings, shrunk, joined late.

Helps: where a case is many times as large as a patch may be, so that place and surroundings decide what a voxel is: on
slices of membranes 0.02 Dice and 7 pixels of HD95, at equal weights and steps.
Hurts: where a patch covers most of the case, the second pathway sees padding (70 % of its field on hippocampus); there
this tip stays out.
Cost: a second pathway of the same depth over a map that is smaller by the factor along each axis; one pathway, widened
to as many weights, took 1.6 times as long.
Source: Kamnitsas et al. 2017, arXiv:1603.05959 (17 voxels at full resolution, 51 at a third).
"""

from dataclasses import replace

from fieldcraft.plan.masks import DeepMedic
from fieldcraft.plan.schema import Imported, Plan, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, known, shape_of

FACTOR = 3
SIDE = 17
"""Voxels that one pathway of eight valid 3-voxel convolutions sees."""
FAR = 3.0
"""Times the patch that a case must measure along every axis."""
NAME = "two-pathways"


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Add a network of two pathways where cases are far larger than patches."""
    facts, sample, _ = known(brief, plan)
    if any(isinstance(rung.network, Imported) for rung in plan.ladder.rungs) or not plan.ladder.rungs:
        return Skipped(because="the ladder holds no networks of ours to stand beside")
    shape = shape_of(facts, sample)
    times = min(length / side for length, side in zip(shape, sample.patch, strict=True))
    told = f"the median case measures {times:.2g} times the patch"
    context = FACTOR * SIDE
    if times < FAR:
        smallest = min(shape)
        sees = f"; {context} voxels of context exceed its {smallest:.0f}" if context > smallest else ""
        return Skipped(because=f"{told}, under {FAR:g}: a patch sees enough around itself{sees}")
    if min(sample.patch) < SIDE:
        return Skipped(because=f"{told}, but its {min(sample.patch)} voxels are fewer than the {SIDE} of a pathway")
    network = DeepMedic(kernel=(3,) * len(sample.patch), factors=(FACTOR,))
    rungs = tuple(rung for rung in plan.ladder.rungs if rung.name != NAME)
    rung = Rung(name=NAME, network=network, steps=1, lr=rungs[-1].lr)
    return Applied(
        plan=replace(plan, ladder=replace(plan.ladder, rungs=(*rungs, rung))),
        because=f"{told}: a second pathway sees {context} voxels, shrunk by {FACTOR}, beside {SIDE} at full resolution",
    )


TIP = Tip(name=NAME, decide=decide, inputs=INPUTS)
