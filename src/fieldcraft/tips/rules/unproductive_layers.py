"""Layers look around although each position has already seen the whole input.

Why: once even the shortest path through the network has seen all of the input, a kernel finds nothing new around it;
such layers hardly improve what a linear probe reads, at full cost. The least field over all paths is what is judged,
so that residual networks are not blamed for their longest path.

Example:
    vgg19 on images of 32 px: from the third stage on each position has seen everything

Instead:
    fewer stages, smaller steps in the first ones, or larger inputs

Leave it: with weights that were trained elsewhere and stay as they are. In networks that give a map it is information:
their units near the rim have not seen everything.
Source: Richter et al. 2021, arXiv:2106.12307 ("Should you go deeper?"), section 4.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import downstream
from fieldcraft.tips.rules.last_maps import axes_with_extent, knows_positions
from fieldcraft.tips.rules.maps import classifies, looks_around, upsamples

LITTLE, WORTH = 0.01, 0.1
"""Share of the multiply-adds or parameters from which on it is said, and a warning."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    first = next((row for row in anatomy.rows if upsamples(row)), None)
    decoder = downstream(anatomy, first) if first else frozenset[int]()
    rows = [row for row in anatomy.rows if looks_around(row) and row.index not in decoder and _covered(anatomy, row)]
    if not rows:
        return
    macs = sum(row.cost.macs or 0 for row in rows) / max(1, anatomy.macs)
    parameters = sum(row.cost.parameters for row in rows)
    share = parameters / max(1, anatomy.parameter_count)
    if max(macs, share) < LITTLE:
        return
    useful_px = max(_entry_px(anatomy, row) for row in rows) + 1
    everything = sum(looks_around(row) for row in anatomy.rows)
    yield RULE.finding(
        f"{len(rows)} of {everything} convolutions begin where the input has been seen whole already; they take "
        f"{macs:.0%} of the multiply-adds and {share:.0%} of the parameters. Inputs of {useful_px} px or more would "
        "give all of them something to see",
        remedy=f"take them away, downsample later, or use inputs of {useful_px} px",
        rows=rows,
        numbers={"layers": len(rows), "macs_share": macs, "parameters_share": share, "useful_from_px": useful_px},
        severity=Severity.WARNING if max(macs, share) >= WORTH and classifies(anatomy) else Severity.INFO,
    )


def _covered(anatomy: Anatomy, row: Row) -> bool:
    maker = anatomy.maker.get(row.inputs[0])
    if maker is None or not knows_positions(maker):
        return False
    axes = axes_with_extent(anatomy, maker)
    return all(not axis.everywhere and axis.least >= whole > 1 for axis, whole in axes)


def _entry_px(anatomy: Anatomy, row: Row) -> int:
    return min(axis.least for axis, _ in axes_with_extent(anatomy, anatomy.maker[row.inputs[0]]))


RULE = Rule(code="FC010", name="unproductive-layers", severity=Severity.WARNING, check=check)
