"""Padding: pad every convolution so that it keeps the size of its map.

Helps: borders count as much as the middle, and depth is no longer limited by the size of the image.
Hurts: zeros at the border are an edge that the images do not have; it matters when the border is mostly cut anyway.
Cost: the pixels that would be cut are computed: 4 % of a 3x3 step at 100 px, 31 % at 16 px.
Source: Dumoulin and Visin 2016, arXiv:1603.07285, chapter 2.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, ImageInput, Network, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rules import even_kernel_shifts, shrinking_borders
from fieldcraft.tips.rungs import convolutional, with_networks


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Pad all convolutions of images; nothing to do elsewhere."""
    networks = convolutional(plan)
    if not networks or not isinstance(plan.input, ImageInput):
        return Skipped(because="no network of the ladder has convolutions that could be changed")
    kernel = max(network.kernel for network in networks)
    if kernel == 1:
        return Skipped(because="1x1 convolutions cut nothing from the border")
    height, width = plan.input.height, plan.input.width
    rows, columns = max(0, height - kernel + 1), max(0, width - kernel + 1)
    lost = 1 - rows * columns / (height * width)
    because = (
        f"each unpadded {kernel}x{kernel} step would cut {kernel - 1} px: the first {lost:.0%} of {height}x{width} px"
    )
    return Applied(plan=with_networks(plan, _padded), because=because)


def _padded(network: Network) -> Network:
    return replace(network, padding="same") if isinstance(network, Cnn) else network


TIP = Tip(
    name="padding",
    decide=decide,
    refines=("architecture",),
    checks=(
        even_kernel_shifts.RULE,
        shrinking_borders.RULE,
    ),
)
