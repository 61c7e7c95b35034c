"""The receptive field of the last map is smaller than the objects in the data.

Why: a position that sees only a part of an object has to decide by texture; only averaging of positions, which cannot
learn how parts lie to each other, brings the parts together. The field that takes effect is smaller still.

Example:
    three 3x3 convolutions (7 px) before global pooling, for objects of 40 px

Instead:
    one more stage with stride 2, or dilation, until the field is at least 1.5 times the objects

Leave it: when texture decides (materials, tissue), or the objects are measured with wide margins.
Source: Luo et al. 2017, arXiv:1701.04128; Araujo et al. 2019, Distill, doi:10.23915/distill.00021.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import by_times
from fieldcraft.tips.rules.last_maps import axes_with_extent, last_maps


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network, when the extent of the objects is known."""
    objects = circumstances.objects_px
    last = last_maps(anatomy) if objects else None
    if objects is None or last is None or last.mixed:
        return
    rows = [row for row in last.rows if len(objects) in (1, len(axes_with_extent(anatomy, row)))]
    if not rows:
        return
    row = max(rows, key=lambda one: [axis.size for axis, _ in axes_with_extent(anatomy, one)])
    sizes = [axis.size for axis, _ in axes_with_extent(anatomy, row)]
    wanted = objects * len(sizes) if len(objects) == 1 else objects
    ratio = min(size / object_px for size, object_px in zip(sizes, wanted, strict=True))
    if ratio >= 1:
        return
    objects_px = by_times([round(one) for one in wanted])
    yield RULE.finding(
        f"the last map sees {by_times(sizes)} px, the objects take {objects_px} px: {ratio:.0%} along the worst axis",
        remedy="add a stage with stride 2, or dilate the last stage, until the field is 1.5 times the objects",
        rows=[row],
        numbers={"field_px": min(sizes), "objects_px": max(wanted), "ratio": ratio},
    )


RULE = Rule(code="FC009", name="field-smaller-than-objects", severity=Severity.WARNING, check=check)
