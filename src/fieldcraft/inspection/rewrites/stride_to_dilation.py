"""Strides become dilation, so that the map keeps a wanted output stride (the a-trous identity).

What it does: where a convolution or pooling would take the map beyond `output_stride`, its stride goes, and all that
follows looks at every second, fourth, ... value instead (dilation and padding times the strides that went), residual
shortcuts included.
Unsafe: maps are larger. At the old positions (every second, fourth, ...) the numbers are the old ones, borders too;
between them stands what the old network would say of the image shifted, in the interior. Global pooling averages over
more positions, so what stands behind it changes (a classifier, a gate); norms over the map do so as well.
Pools that tile or round their size up get padding behind that counts for nothing, so that a shortcut of pooling and a
1x1 convolution (ResNet-D) stays as large as the branch beside it.
Refused as a whole, with the layer: functional or padded-by-name windows, pools that give indices, transposed
convolutions, recurrent layers and attention behind a stride that goes, and branches that would no longer meet.
Weights: kept, all of them.
Cost: strides^axes that went times the multiply-adds of everything behind them.
Source: Holschneider et al. 1990; Chen et al. 2014, arXiv:1412.7062, section 3.1; Yu and Koltun 2015, arXiv:1511.07122.
"""

from dataclasses import dataclass

from torch import nn

from fieldcraft.errors import InspectError
from fieldcraft.inspection.rewrites.dilated_pools import DenseWindow, DilatedAverage, DilatedMax
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import is_plain, is_plain_convolution, put
from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import (
    AdaptivePool,
    Attention,
    Convolution,
    Pad,
    Pool,
    Recurrent,
    Reduce,
    Resize,
)

MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVERAGE_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)


@dataclass(frozen=True, slots=True)
class Density:
    """Of a map, per axis: pixels between its values now, and how many times denser it is than it was."""

    stride: tuple[int, ...]
    denser: tuple[int, ...]

    @property
    def changed(self) -> bool:
        """Denser than it was."""
        return max(self.denser) > 1


@dataclass(frozen=True, slots=True)
class Setting:
    """What a window is to have."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Plan every window first; change the module only when all of them can be changed."""
    if options.output_stride < 1:
        raise InspectError(f"an output stride must be at least 1, but got {options.output_stride}.")
    settings, pools = _plan(module, anatomy, options.output_stride)
    changes = []
    for path, setting in settings.items():
        _set(module, path, setting, pools.get(path))
        text = f"stride {_said(setting.stride)}, padding {_said(setting.padding)}, dilation {_said(setting.dilation)}"
        changes.append(Change(path=path, what=text))
    return Outcome(changes=tuple(changes))


def _plan(
    module: nn.Module, anatomy: Anatomy, wanted: int
) -> tuple[dict[str, Setting], dict[str, tuple[DenseWindow, ...]]]:
    density: dict[int, Density | None] = dict.fromkeys(anatomy.inputs)
    settings: dict[str, Setting] = {}
    untouched: dict[str, Setting] = {}
    pools: dict[str, tuple[DenseWindow, ...]] = {}
    for row in anatomy.rows:
        here = _joined(row, density)
        operation = row.operation
        if here is None and _is_pooled(row, anatomy):
            density.update(dict.fromkeys(row.outputs, None))
            continue
        if isinstance(operation, Convolution | Pool) and not (
            isinstance(operation, Convolution) and operation.transposed
        ):
            setting, after = _window(row, operation, here, wanted)
            old = Setting(operation.stride, operation.padding, operation.dilation)
            if (setting != old) or row.module in settings:
                _check_window(module, row, operation)
                if settings.get(row.module, setting) != setting or untouched.get(row.module, setting) != setting:
                    raise _refused(row, "it is called at two places that would need different dilation")
                settings[row.module] = setting
                if isinstance(operation, Pool):
                    pools[row.module] = _dense(operation, setting, here)
            else:
                untouched[row.module] = setting
            density.update(dict.fromkeys(row.outputs, after))
            continue
        density.update(dict.fromkeys(row.outputs, _behind(row, here, anatomy)))
    return settings, pools


def _joined(row: Row, density: dict[int, Density | None]) -> Density | None:
    """What the inputs of a row have in common."""
    found = {one for value in row.inputs if (one := density.get(value)) is not None}
    if len({one.denser for one in found}) > 1:
        raise _refused(row, "it joins maps that would have different sizes")
    return next(iter(found), None)


def _window(row: Row, operation: Convolution | Pool, here: Density | None, wanted: int) -> tuple[Setting, Density]:
    axes = len(operation.kernel)
    known = here or Density((1,) * axes, (1,) * axes)
    if len(known.denser) != axes:
        raise _refused(row, f"it has {axes} axes where {len(known.denser)} came before")
    steps, strides, denser = [], [], []
    for step, now, dense in zip(operation.stride, known.stride, known.denser, strict=True):
        keep = next(size for size in range(step, 0, -1) if step % size == 0 and (size == 1 or now * size <= wanted))
        if (step // keep) * dense > 1 and keep > 1 and (step * dense) % keep:
            raise _refused(row, f"a stride of {step} cannot be split")
        steps.append(keep)
        strides.append(now * keep)
        denser.append(step * dense // keep)
    setting = Setting(
        stride=tuple(steps),
        padding=tuple(size * dense for size, dense in zip(operation.padding, known.denser, strict=True)),
        dilation=tuple(
            hole * dense if size > 1 else hole
            for hole, dense, size in zip(operation.dilation, known.denser, operation.kernel, strict=True)
        ),
    )
    return setting, Density(tuple(strides), tuple(denser))


def _is_pooled(row: Row, anatomy: Anatomy) -> bool:
    """One value a channel (a gate): it goes with maps of any density."""
    shape = anatomy.shape(row.inputs[0]) if row.inputs else ()
    return len(shape) > 2 and set(shape[2:]) == {1}


def _check_window(module: nn.Module, row: Row, operation: Convolution | Pool) -> None:
    layer = module.get_submodule(row.module)
    if isinstance(operation, Convolution):
        if not is_plain_convolution(layer) or isinstance(layer.padding, str):
            raise _refused(row, "only modules of plain convolutions with zeros around can be dilated")
        return
    if not (is_plain(layer, MAX_POOLS) or is_plain(layer, AVERAGE_POOLS)):
        raise _refused(row, "a pooling that is no module cannot be changed")
    if getattr(layer, "return_indices", False):
        raise _refused(row, "indices of a pooling would mean other places")


def _behind(row: Row, here: Density | None, anatomy: Anatomy) -> Density | None:
    """Behind an operation that is no window."""
    if here is None or not here.changed:
        return None if isinstance(row.operation, AdaptivePool) or _pools_all(row, anatomy) else here
    operation = row.operation
    if isinstance(operation, AdaptivePool) or _pools_all(row, anatomy):
        return None
    if isinstance(operation, Resize):
        if any(operation.after == anatomy.shape(value)[-len(operation.after) :] for value in anatomy.inputs):
            return None
        raise _refused(row, "it resizes by a factor")
    if isinstance(operation, Convolution | Pad | Attention | Recurrent):
        raise _refused(row, f"{type(operation).__name__.lower()} cannot be dilated")
    return here


def _pools_all(row: Row, anatomy: Anatomy) -> bool:
    """A mean or the like over all positions, or a map that is flattened."""
    before, after = anatomy.shape(row.inputs[0]) if row.inputs else (), anatomy.shape(row.outputs[0])
    return isinstance(row.operation, Reduce) and len(row.operation.dims) >= len(before) - 2 > 0 and len(after) > 0


def _set(module: nn.Module, path: str, setting: Setting, pool: tuple[DenseWindow, ...] | None) -> None:
    layer = module.get_submodule(path)
    if pool is not None:
        put(module, path, _dilated(layer, setting, pool))
        return
    assert isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    layer.stride, layer.padding, layer.dilation = setting.stride, setting.padding, setting.dilation
    layer._reversed_padding_repeated_twice = [size for size in reversed(setting.padding) for _ in range(2)]


def _dilated(layer: nn.Module, setting: Setting, pool: tuple[DenseWindow, ...]) -> nn.Module:
    """PyTorch's own max-pooling where it can: it allows padding up to half of the kernel, whatever the dilation."""
    if isinstance(layer, AVERAGE_POOLS):
        divisor = getattr(layer, "divisor_override", None)
        return DilatedAverage(pool, padding_too=layer.count_include_pad, divisor=divisor)
    if any(one.tiles or one.ceil or 2 * one.front > one.kernel for one in pool):
        return DilatedMax(pool)
    kernel = tuple(one.kernel for one in pool)
    return type(layer)(kernel, setting.stride, setting.padding, setting.dilation)


def _dense(pool: Pool, setting: Setting, here: Density | None) -> tuple[DenseWindow, ...]:
    denser = here.denser if here is not None else (1,) * len(pool.kernel)
    axes = zip(pool.kernel, pool.stride, pool.padding, pool.dilation, denser, setting.stride, strict=True)
    return tuple(
        DenseWindow(kernel, stride, padding, dilation, pool.ceil, dense, kept)
        for kernel, stride, padding, dilation, dense, kept in axes
    )


def _said(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))


def _refused(row: Row, why: str) -> InspectError:
    place = f" at {row.location.file}:{row.location.line}" if row.location else ""
    name = row.module or "the module's own forward"
    return InspectError(
        f"stride-to-dilation must reach every layer behind a stride that goes, but {name} ({row.source}){place} stands "
        f"in the way: {why}. Use a larger output_stride, or rewrite the part in front of it alone."
    )


REWRITE = Rewrite(
    name="stride-to-dilation",
    codes=(),
    safe=False,
    training_too=False,
    looks_for="a convolution or pooling module whose stride takes the map beyond the wanted output stride",
    apply=apply,
)
