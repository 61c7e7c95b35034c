"""Sizes of maps and steps between them that rules share."""

from math import log2, prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import Arithmetic, Concatenate, Convolution, Rearrange, Resize
from fieldcraft.tips.rules.graph import map_after, map_before


def input_map(anatomy: Anatomy, axes: int) -> tuple[int, ...] | None:
    """Sizes of the first input that has so many spatial axes behind batch and channels."""
    shapes = (anatomy.shape(one) for one in anatomy.inputs)
    return next((shape[-axes:] for shape in shapes if len(shape) == axes + 2), None)


def looks_around(row: Row) -> bool:
    """A convolution, not transposed, whose kernel is wider than one position, of something that the inputs reach."""
    conv = row.operation
    return isinstance(conv, Convolution) and not conv.transposed and max(conv.kernel) > 1 and bool(row.inputs)


def on_a_map(anatomy: Anatomy, row: Row) -> bool:
    """A convolution of more than one position."""
    conv = row.operation
    return isinstance(conv, Convolution) and bool(row.inputs) and prod(map_before(anatomy, row, len(conv.kernel))) > 1


def upsamples(row: Row) -> bool:
    """It makes a larger map out of a map (not out of a single position, as after global pooling)."""
    match row.operation:
        case Convolution(transposed=True) as conv:
            return max(conv.stride) > 1
        case Resize() as resize:
            grows = any(after > before for before, after in zip(resize.before, resize.after, strict=True))
            return grows and prod(resize.before) > 1
        case Rearrange(name="pixel_shuffle"):
            return True
        case _:
            return False


def halvings(anatomy: Anatomy, row: Row) -> int | None:
    """How often the map that a convolution makes was halved since the input, along the axis where that is most."""
    conv = row.operation
    if not isinstance(conv, Convolution):
        return None
    whole = input_map(anatomy, len(conv.kernel))
    if whole is None:
        return None
    now = map_after(anatomy, row, len(conv.kernel))
    return max(round(log2(before / after)) for before, after in zip(whole, now, strict=True) if after)


def classifies(anatomy: Anatomy) -> bool:
    """No output has a map: each is one row of numbers a sample."""
    return all(len(anatomy.shape(one)) <= 2 for one in anatomy.outputs)


def joins(row: Row) -> bool:
    """It puts two or more tensors together that the inputs reach (products, which gates use, are no joins)."""
    match row.operation:
        case Arithmetic(name=name):
            return len(row.inputs) > 1 and name not in ("mul", "div", "where")
        case Concatenate():
            return len(row.inputs) > 1
        case _:
            return False
