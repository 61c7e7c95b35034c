"""Spatial pyramid: pool the largest value of each bin of ever finer grids over the map, whatever size the map has.

Off unless the plan asks for it (`ladder.rungs.NAME.network.head=pyramid`, `.levels=[1,2,4]`). Images are brought to one
size, or to those of a few buckets (size-buckets), where every head that pools fits; the sizes that came are told.

Helps: images of many sizes and proportions that must not be forced into one; where coarse places tell classes apart.
Hurts: one size for all, where the mean over positions needs fewer weights; grids of 1 and 2 gained 1.4 points (-4.2 to
+6.9, three seeds of 200 steps, validation images of CIFAR-10 at 16 px), which shows nothing.
Cost: the last linear map grows by the number of bins: 21 for grids of 1, 2 and 4 a side.
Source: He et al. 2014, arXiv:1406.4729, section 2.2; Lin et al. 2013, arXiv:1312.4400 (the mean instead).
"""

from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rungs import Convolutional, convolutional

ALIKE = 1.25
"""Largest over smallest side up to which sizes count as one."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Keep the pyramid that the plan asks for; else say what sizes there are and what is done with them."""
    networks = convolutional(plan)
    if not networks or not isinstance(plan.input, ImageInput) or brief.images is None:
        return Skipped(because="no network of the ladder has maps to pool")
    asked = [network for network in networks if network.head == "pyramid"]
    if asked:
        return Applied(plan=plan, because=f"asked for by hand: {_weights(asked[-1], brief.outputs)}")
    (low, _, high), (left, _, right) = brief.images.height.value, brief.images.width.value
    used = f"{plan.input.height}x{plan.input.width} px"
    spread = max(high / low, right / left)
    if spread <= ALIKE:
        return Skipped(
            because=f"sides differ by a factor of {spread:.3g} at most: one size, {used}, loses nothing by it"
        )
    sizes = f"heights of {low} to {high} and widths of {left} to {right} px (a factor of {spread:.3g})"
    cost = _weights(networks[-1], brief.outputs)
    return Skipped(because=f"{sizes} fit any head that pools, in {used} or in buckets; a pyramid would take {cost}")


def _weights(network: Convolutional, outputs: int) -> str:
    bins = sum(level**2 for level in network.levels)
    channels = network.widths[-1]
    return f"{bins} bins and {channels * bins * outputs:,} weights in the last map instead of {channels * outputs:,}"


TIP = Tip(name="spatial-pyramid", decide=decide)
