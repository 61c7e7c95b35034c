"""What tips for masks share: which axes there are, what networks of masks see and cost, what became of other tips."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import assert_never

from fieldcraft.plan.masks import Atrous, DeepMedic, PatchInput, Segmentation, UNet
from fieldcraft.plan.schema import Network, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.records.segmentation import CaseFacts, ClassFacts

INPUTS = ("patches",)
"""The kind of input that tips for masks are for."""

Counted = UNet | DeepMedic | Atrous
"""Networks of masks whose costs follow from the plan alone. One's own do not, nor those that are taken over."""

ELSEWHERE: Mapping[str, str] = {
    "architecture": "samples are images with masks: mask-network lays the networks down",
    "worth-a-network": "every voxel of a mask is an example: a few cases are enough to begin with",
    "small-kernels": "mask-kernels decides, axis by axis",
    "padding": "networks of masks keep the size of a map, or say by how much they shrink it",
    "depth-and-strides": "mask-depth decides, axis by axis",
    "residual-connections": 'norms and skips carry gradients here; encoder = "residual" by hand',
    "width": "mask-width decides by the voxels of a patch",
    "squeeze-excitation": "gates on the maps of masks: by hand",
    "spatial-pyramid": 'masks have no pooled head; kind = "atrous" pools at several rates',
    "batch-size": "mask-batch decides by the voxels of a patch",
    "norm": "mask-norm decides",
    "activation": "mask-network lays down leaky rectifiers",
    "depthwise-separable": "no limit on predictions is kept for masks yet; separable = true by hand",
    "initialisation": "norms behind every convolution take the weights at any scale",
    "optimiser": "mask-optimiser decides",
    "class-imbalance": "dice-loss and foreground-sampling make up for rare classes",
    "augmentation": "mask-symmetry and mask-intensities decide",
    "mixup-and-cutmix": "a voxel between two classes is no example of anything",
    "trivial-augment": "mask-symmetry and mask-intensities decide",
    "test-time-augmentation": "mirrored-masks decides, axis by axis",
    "dropout": "patches are drawn and changed anew at each step",
    "stochastic-depth": "patches are drawn and changed anew at each step",
    "size-buckets": "patches have a size of their own: patch-size decides",
    "compilation": "training steps on patches are not compiled yet",
    "progressive-resizing": "patches have a size of their own: patch-size decides",
    "learning-rate": "a range test is not made for masks: the rate stands as it was set",
    "transfer": "pretrained-encoder decides",
    "short-ladder": "patches are drawn without end: mask-steps decides",
    "epochs": "patches are drawn without end: mask-steps decides",
}
"""Tips that have no part in a plan for masks, with what stands in for each."""


def known(brief: Brief, plan: Plan) -> tuple[CaseFacts, PatchInput, Segmentation]:
    """Facts, input and task of a plan for masks; tips for masks are asked about no others."""
    assert brief.cases is not None and isinstance(plan.input, PatchInput) and isinstance(plan.task, Segmentation)
    return brief.cases, plan.input, plan.task


def foreground(facts: CaseFacts) -> tuple[ClassFacts, ...]:
    """Classes that are looked for: all but the background."""
    return facts.classes.value[1:]


def spacing_of(facts: CaseFacts, sample: PatchInput) -> tuple[float, ...]:
    """Between voxels of a patch, along each axis."""
    return sample.spacing or tuple(one.median for one in facts.spacing.value)


def shape_of(facts: CaseFacts, sample: PatchInput) -> tuple[float, ...]:
    """Voxels of the median case along each axis, once resampled."""
    return tuple(voxels * factor for voxels, factor in zip(_median_shape(facts), factors(facts, sample), strict=True))


def steps_a_pass(facts: CaseFacts, sample: PatchInput, batch: int, cases: int) -> float:
    """Steps after which as many voxels were seen as the training cases have."""
    return cases * prod(shape_of(facts, sample)) / (batch * voxels(sample))


def factors(facts: CaseFacts, sample: PatchInput) -> tuple[float, ...]:
    """By how much resampling changes the number of voxels along each axis."""
    now = tuple(one.median for one in facts.spacing.value)
    return tuple(before / after for before, after in zip(now, spacing_of(facts, sample), strict=True))


def extents(facts: CaseFacts, sample: PatchInput) -> tuple[float, ...]:
    """Voxels along each axis that nine of ten objects of the largest class do not exceed, once resampled."""
    seen = [one.extent_px for one in foreground(facts) if one.extent_px]
    if not seen:
        return shape_of(facts, sample)
    largest = (max(one[axis].high for one in seen) for axis in range(facts.spatial))
    return tuple(side * factor for side, factor in zip(largest, factors(facts, sample), strict=True))


def thickness(facts: CaseFacts) -> float:
    """Voxels across the thinnest class, about: a sheet or stripe of w voxels has a share of 2 / w at its boundary."""
    shares = [one.boundary for one in foreground(facts) if one.boundary]
    return 2 / max(shares) if shares else float("inf")


def thinnest(facts: CaseFacts) -> str:
    """What that class is called."""
    found = [one for one in foreground(facts) if one.boundary]
    return called(max(found, key=lambda one: one.boundary or 0.0)) if found else "nothing"


def called(one: ClassFacts) -> str:
    """A class as a sentence names it: numbers are no names."""
    return f"class {one.name}" if one.name.isdigit() else one.name


def voxels(sample: PatchInput) -> int:
    """In a patch."""
    return prod(sample.patch)


def with_mask_networks(plan: Plan, change: Callable[[Network], Network]) -> Plan:
    """The plan with every rung's network changed."""
    rungs = tuple(replace(rung, network=change(rung.network)) for rung in plan.ladder.rungs)
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs))


def unets(plan: Plan) -> tuple[UNet, ...]:
    """The U-Nets of the ladder, small to large."""
    return tuple(rung.network for rung in plan.ladder.rungs if isinstance(rung.network, UNet))


def field(network: UNet) -> tuple[int, ...]:
    """Receptive field of the deepest level of the encoder, in voxels along each axis."""
    found = []
    for axis in range(len(network.kernels[0])):
        size, jump = 1, 1
        for level, kernel in enumerate(network.kernels):
            for repeat in range(_convolutions(network, level)):
                strided = level > 0 and repeat == 0
                stride = network.strides[level - 1][axis] if strided else 1
                if strided and network.downsample == "max-pool":
                    size, jump, stride = size + (stride - 1) * jump, jump * stride, 1
                size, jump = size + (kernel[axis] - 1) * jump, jump * stride
        found.append(size)
    return tuple(found)


def total_stride(network: UNet) -> tuple[int, ...]:
    """By which the deepest level has shrunk the patch, along each axis."""
    return tuple(prod(stride[axis] for stride in network.strides) for axis in range(len(network.kernels[0])))


def costs(network: Counted, sample: PatchInput, classes: int) -> tuple[tuple[int, int, int], ...]:
    """(multiply-adds, numbers given, weights) of each convolution for one patch."""
    match network:
        case UNet():
            return tuple(_of_unet(network, sample, classes))
        case DeepMedic():
            return tuple(_of_deepmedic(network, sample, classes))
        case Atrous():
            return tuple(_of_atrous(network, sample, classes))
        case _:
            assert_never(network)


def _convolutions(network: UNet, level: int) -> int:
    """One behind the other in a level of the encoder; residual blocks have two, behind a first one."""
    depth = network.depths[level]
    return depth if network.encoder == "plain" else 1 + 2 * depth


def _of_unet(network: UNet, sample: PatchInput, classes: int) -> Iterator[tuple[int, int, int]]:
    sizes, size = [sample.patch], sample.patch
    for stride in network.strides:
        size = tuple(-(-side // step) for side, step in zip(size, _padded(stride, len(size)), strict=True))
        sizes.append(size)
    before = sample.channels
    for level, width in enumerate(network.widths):
        for _ in range(_convolutions(network, level)):
            yield _convolution(before, width, prod(network.kernels[level]), prod(sizes[level]))
            before = width
    for level, (fine, coarse) in reversed(list(enumerate(pairwise(network.widths)))):
        yield _convolution(coarse, fine, 1, prod(sizes[level]))
        before = 2 * fine if network.skips else fine
        for _ in range(network.decoder_depth):
            yield _convolution(before, fine, prod(network.kernels[level]), prod(sizes[level]))
            before = fine
    yield _convolution(network.widths[0], classes, 1, voxels(sample))


def _of_deepmedic(network: DeepMedic, sample: PatchInput, classes: int) -> Iterator[tuple[int, int, int]]:
    lost = tuple(len(network.widths) * (side - 1) for side in network.kernel)
    for factor in (1, *network.factors):
        size = tuple(-(-side // factor) + cut for side, cut in zip(sample.patch, lost, strict=False))
        before = sample.channels
        for width in network.widths:
            size = tuple(side - (kernel - 1) for side, kernel in zip(size, network.kernel, strict=False))
            yield _convolution(before, width, prod(network.kernel), prod(size))
            before = width
    before = network.widths[-1] * (1 + len(network.factors))
    for width in (*network.joined, classes):
        yield _convolution(before, width, 1, voxels(sample))
        before = width


def _of_atrous(network: Atrous, sample: PatchInput, classes: int) -> Iterator[tuple[int, int, int]]:
    taps, before, stride = 3 ** len(sample.patch), sample.channels, 1
    for stage, (width, depth) in enumerate(zip(network.widths, network.depths, strict=True)):
        stride = min(network.output_stride, 2 ** (stage + 1))
        for _ in range(1 + 2 * depth):
            yield _convolution(before, width, taps, _shrunk(sample, stride))
            before = width
    for _ in network.rates:
        yield _convolution(before, before, taps, _shrunk(sample, stride))
    yield _convolution(before * (1 + len(network.rates)), before, 1, _shrunk(sample, stride))
    yield _convolution(before, classes, 1, _shrunk(sample, stride))


def _convolution(before: int, after: int, taps: int, positions: int) -> tuple[int, int, int]:
    return positions * before * after * taps, positions * after, before * after * taps


def _shrunk(sample: PatchInput, stride: int) -> int:
    return prod(-(-side // stride) for side in sample.patch)


def _padded(stride: tuple[int, ...], axes: int) -> tuple[int, ...]:
    return (*stride, *(1,) * axes)[:axes]


def _median_shape(facts: CaseFacts) -> tuple[float, ...]:
    return tuple(one.median for one in facts.shape.value)
