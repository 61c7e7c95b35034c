"""A figure for papers: how far layers see and what they cost, along the depth. Needs the extra `figures`."""

from typing import TYPE_CHECKING

from fieldcraft.errors import MissingExtraError
from fieldcraft.inspection.inspection import Inspection
from fieldcraft.records.anatomy import AxisField, Row
from fieldcraft.report.explorer.words import is_quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN = 6.5, 4.0
"""A text column of A4 or letter paper."""


def figure(inspection: Inspection) -> "Figure":
    """Two panels over the operations in their order: fields in pixels of the first input, and multiply-adds.

    The field is that of the input's longest axis. Raises: MissingExtraError without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "figures", "The figure of an inspection") from error

    rows = [row for row in inspection.anatomy.rows if not is_quiet(row.operation)]
    drawn = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    above, below = drawn.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_fields(above, rows, longest_axis(inspection))
    _draw_cost(below, rows)
    above.set_title(inspection.anatomy.name, fontsize=10)
    below.set_xlabel("operation")
    return drawn


def longest_axis(inspection: Inspection) -> tuple[int, int]:
    """Place and length of the longest spatial axis of the first input; (0, 0) when fields have no axes."""
    anatomy = inspection.anatomy
    axes = max((len(row.fields[0].axes) for row in anatomy.rows if row.fields), default=0)
    if not axes:
        return 0, 0
    lengths = anatomy.shape(anatomy.inputs[0])[-axes:]
    return max(enumerate(lengths), key=lambda one: one[1])


def _draw_fields(axes: "Axes", rows: list[Row], longest: tuple[int, int]) -> None:
    place, length = longest
    seen = [
        (at, row.fields[0].axes[place]) for at, row in enumerate(rows) if row.fields and place < len(row.fields[0].axes)
    ]
    axes.set_ylabel("receptive field, px")
    if not seen:
        axes.text(0.5, 0.5, "no spatial axes, or fields are not known", ha="center", transform=axes.transAxes)
        return
    at = [one for one, _ in seen]
    axes.step(at, [_reach(one, length) for _, one in seen], where="mid", color="C0", label="field")
    axes.step(at, [one.least for _, one in seen], where="mid", color="C0", linestyle=":", label="on the least path")
    bounds = [(one, _reach(axis, length)) for one, axis in seen if not axis.exact]
    if bounds:
        axes.plot(*zip(*bounds, strict=True), ".", color="C3", markersize=3, label="upper bound")
    axes.axhline(length, color="0.5", linestyle="--", linewidth=0.8, label=f"input, {length} px")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, frameon=False)


def _draw_cost(axes: "Axes", rows: list[Row]) -> None:
    axes.bar(range(len(rows)), [(row.cost.macs or 0) / 1e6 for row in rows], width=0.9, color="C2")
    axes.set_ylabel("multiply-adds, M")


def _reach(axis: AxisField, length: int) -> int:
    return length if axis.everywhere else axis.size
