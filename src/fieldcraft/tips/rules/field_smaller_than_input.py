"""Each position of the last map sees less than half of the input, and only averaging brings positions together.

Why: averaging cannot learn how distant parts lie to each other; the network decides like a bag of local patches.

Example:
    a field of 33 px before global pooling, for images of 224 px

Instead:
    more stages with stride 2, dilation, or a few layers of attention at the end

Leave it: when local texture decides, or each decision has to be traceable to a small patch (BagNet is made for it).
Source: Brendel and Bethge 2019, arXiv:1904.00760; Araujo et al. 2019, Distill, doi:10.23915/distill.00021.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import by_times
from fieldcraft.tips.rules.last_maps import axes_with_extent, last_maps

SHARE = 0.5


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for networks whose outputs have no map."""
    last = last_maps(anatomy)
    if last.dense or last.mixed or not last.rows:
        return
    row = max(last.rows, key=lambda one: [axis.full for axis, _ in axes_with_extent(anatomy, one)])
    axes = axes_with_extent(anatomy, row)
    ratio = min((axis.full / whole for axis, whole in axes), default=1.0)
    if ratio >= SHARE:
        return
    sizes, whole = [axis.full for axis, _ in axes], [one for _, one in axes]
    yield RULE.finding(
        f"the last map sees {by_times(sizes)} of {by_times(whole)} px ({ratio:.0%}) before positions are averaged",
        remedy="add stages with stride 2, dilate the last ones, or mix positions by attention",
        rows=[row],
        numbers={"field_px": min(sizes), "input_px": max(whole), "ratio": ratio},
    )


RULE = Rule(code="FC035", name="field-smaller-than-input", severity=Severity.INFO, check=check)
