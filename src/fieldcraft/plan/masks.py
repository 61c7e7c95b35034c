"""The parts of a plan that only segmentation has: loss, prediction of masks, patches and their changes, networks.

Lists with one entry an axis follow the axes of the cases as they are stored: (x, y, z) of NIfTI, (z, y, x) of TIFF
stacks, (y, x) of pictures. Slices of a volume are patches of one voxel along an axis.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.plan.words import STRICT, Activation, Evening, Imported, Norm, Share, Width, check_channels

Axis = Annotated[int, Field(ge=0, le=2)]
"""Which axis of a case, from 0."""
Sides = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1, max_length=3)]
"""Voxels along each axis."""
Kernel = Annotated[tuple[Annotated[int, Field(ge=1, le=31)], ...], Field(min_length=1, max_length=3)]
Stride = Annotated[tuple[Annotated[int, Field(ge=1, le=8)], ...], Field(min_length=1, max_length=3)]
Repeats = Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)]
Widths = Annotated[tuple[Width, ...], Field(min_length=1)]
Weight = Annotated[float, Field(ge=0, le=100)]


# ---------------------------------------------------------------- task: what is predicted


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaskLoss:
    """A weighted sum of losses over voxels; a weight of 0 leaves a loss out. Void voxels never count."""

    kind: Literal["mask-sum"] = "mask-sum"
    cross_entropy: Weight = 1.0
    """Of softmax cross-entropy, in nats."""
    dice: Weight = 0.0
    """Of one minus the soft Dice overlap, averaged over the foreground classes (Milletari et al. 2016)."""
    tversky: Weight = 0.0
    """Of one minus the Tversky index, which weighs misses and false alarms apart (Salehi et al. 2017)."""
    focal: Weight = 0.0
    """Of cross-entropy that voxels predicted well hardly add to (Lin et al. 2017)."""
    boundary: Weight = 0.0
    """Of the distance-weighted boundary loss (Kervadec et al. 2019)."""
    missed: Share = 0.7
    """Tversky: what a missed voxel weighs; a false alarm weighs the rest."""
    focus: Annotated[float, Field(ge=0, le=10)] = 2.0
    """Focal: the exponent of what was not predicted."""
    class_weights: Evening = "none"
    """How far voxels of rare classes count for more in cross-entropy."""

    def __post_init__(self) -> None:
        if not any((self.cross_entropy, self.dice, self.tversky, self.focal, self.boundary)):
            raise ValueError("at least one of the losses must have a weight above 0")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NoCrf:
    """Probabilities as the network gives them."""

    kind: Literal["none"] = "none"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CrfIfBetter:
    """A fully connected conditional random field (Kraehenbuehl and Koltun 2011), sought on validation.

    It is kept only if validation improves.
    """

    kind: Literal["dense-if-better"] = "dense-if-better"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Masks:
    """How masks are made of a network's answers."""

    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of a window's side that neighbouring windows have in common."""
    blend: Literal["gaussian", "constant"] = "gaussian"
    """How much each voxel of a window counts: less towards its rim, or all alike."""
    mirror: tuple[Axis, ...] = ()
    """Axes along which cases are mirrored; predictions are averaged over all combinations."""
    components: Literal["all", "filter-if-better"] = "all"
    """Whether to look for small pieces of a class to leave out, or all but the largest; kept if validation improves."""
    crf: Annotated[NoCrf | CrfIfBetter, Field(discriminator="kind")] = NoCrf()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Segmentation:
    """One class a voxel."""

    kind: Literal["segmentation"] = "segmentation"
    loss: Annotated[MaskLoss | Imported, Field(discriminator="kind")] = MaskLoss()
    metric: Literal["dice", "iou"] = "dice"
    """What decides between baselines and rungs, on validation: mean over cases of the mean over foreground classes."""
    membrane: Annotated[int, Field(ge=0)] | None = None
    """The class that parts cells, from 0, where there is one: then the Rand score of the cells is reported."""
    masks: Masks = Masks()


# ---------------------------------------------------------------- input: what a sample is


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MaskAugment:
    """Random changes of training patches, of image and mask together, drawn anew for each patch and step."""

    flip: tuple[Axis, ...] = ()
    """Axes along which a patch is mirrored half of the time."""
    rotate_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest angle in each direction, in the planes that `turn_about` names."""
    turn_about: tuple[Axis, ...] = ()
    """Axes of volumes about which patches are turned; pictures have one plane, which 0 stands for."""
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative change of size in each direction."""
    elastic: Annotated[float, Field(ge=0, le=50)] = 0.0
    """Deviation of smooth random displacements, in voxels."""
    shape_share: Share = 0.2
    """Probability that a patch is turned, scaled or bent."""
    noise: Annotated[float, Field(ge=0, le=5)] = 0.0
    """Largest deviation of added Gaussian noise, in deviations of the image."""
    blur: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Largest deviation of a Gaussian blur, in voxels."""
    brightness: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Largest shift, in deviations of the image."""
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative change of the distances from a patch's mean."""
    gamma: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative change of the exponent of a power law over a patch's range."""
    look_share: Share = 0.15
    """Probability of each change of intensity."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PatchInput:
    """Patches of images with masks, normalised; whole cases are predicted window by window."""

    kind: Literal["patches"] = "patches"
    channels: Annotated[int, Field(ge=1, le=64)]
    patch: Sides
    """What passes through a network at once, in voxels after resampling; 1 along an axis: slices."""
    spacing: tuple[Annotated[float, Field(ge=1e-6, le=1e4)], ...] = ()
    """To which cases are resampled, along each axis in mm (pixels for pictures); empty: left as they are."""
    normalise: Literal["case", "set", "none"] = "case"
    """Mean and deviation that images are brought to 0 and 1 by: each case's own, the training part's, or neither."""
    foreground: Share = 0.0
    """Share of the training patches that are centred on a voxel of a foreground class, the classes in turn."""
    augment: MaskAugment = MaskAugment()

    def __post_init__(self) -> None:
        if self.spacing and len(self.spacing) != len(self.patch):
            raise ValueError(f"`spacing` must have {len(self.patch)} numbers, one an axis of `patch`, or none")


# ---------------------------------------------------------------- networks


@dataclass(frozen=True, kw_only=True, config=STRICT)
class UNet:
    """An encoder that shrinks the map level by level, and a decoder that takes it back up."""

    kind: Literal["unet"] = "unet"
    widths: Annotated[tuple[Width, ...], Field(min_length=2)] = (16, 32, 64)
    """Channels of each level, the finest first."""
    depths: Repeats = (2, 2, 2)
    """Convolutions (blocks, of a residual encoder) of each level of the encoder."""
    decoder_depth: Annotated[int, Field(ge=1, le=16)] = 2
    """Convolutions of each level of the decoder."""
    kernels: Annotated[tuple[Kernel, ...], Field(min_length=2)] = ((3, 3, 3), (3, 3, 3), (3, 3, 3))
    """Of each level, along each axis; odd."""
    strides: Annotated[tuple[Stride, ...], Field(min_length=1)] = ((2, 2, 2), (2, 2, 2))
    """By which each level but the finest shrinks the map of the one before it, along each axis."""
    encoder: Literal["plain", "residual"] = "plain"
    """Whether blocks of the encoder add to what comes in (He et al. 2016)."""
    downsample: Literal["stride", "max-pool"] = "stride"
    skips: bool = True
    """Whether the decoder sees the encoder's maps of its own level."""
    attention: bool = False
    """Whether gates on the skips weigh where to look (Oktay et al. 2018)."""
    squeeze_excitation: Annotated[int, Field(ge=0, le=1024)] = 0
    """Channels for each hidden unit of the gates on channels; 0: none."""
    separable: bool = False
    """Whether convolutions look around in each channel alone and then mix channels."""
    deep_supervision: Annotated[int, Field(ge=0, le=8)] = 0
    """How many coarser levels of the decoder answer as well, in training."""
    norm: Norm = "instance"
    activation: Activation = "leaky-relu"

    def __post_init__(self) -> None:
        levels = len(self.widths)
        if not len(self.depths) == len(self.kernels) == len(self.strides) + 1 == levels:
            raise ValueError(
                f"`depths` and `kernels` must have an entry for each of the {levels} levels of `widths`, and `strides` "
                f"one fewer, got {len(self.depths)}, {len(self.kernels)} and {len(self.strides)}"
            )
        if len({len(one) for one in (*self.kernels, *self.strides)}) != 1:
            raise ValueError("every kernel and every stride must have as many numbers as there are axes")
        if any(side % 2 == 0 for kernel in self.kernels for side in kernel):
            raise ValueError("kernels must be odd, so that maps keep their places")
        if self.deep_supervision > levels - 2:
            raise ValueError(f"`deep_supervision` must be at most {levels - 2}, two fewer than the levels")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EncodedUNet:
    """A network whose weights came in a file as the encoder, and a fresh decoder that takes its maps back up.

    For pictures; they are shown standardised and in their own size, gray ones repeated over the channels.
    """

    kind: Literal["encoded-unet"] = "encoded-unet"
    weights: Annotated[str, Field(min_length=1)]
    """The file; read when training starts. A finished run does not need it any more."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits")]
    """Of the file's bytes: other weights are refused."""
    family: Literal["cifar-resnet", "squeezenet", "torchvision", "timm"]
    """Whose network it is: fieldcraft's own, or of a library that has to be installed."""
    model: Annotated[str, Field(pattern=r"^[\w.-]+$", description="a name such as resnet18")]
    """Which network of the family: a depth, a version, or the library's name."""
    order: Literal["rgb", "bgr", "gray"] = "rgb"
    """Of the channels that the weights know."""
    mean: tuple[float, ...]
    """Of each channel, in that order, that the weights want taken off pixels from 0 to `full_scale`."""
    std: tuple[Annotated[float, Field(gt=0)], ...]
    full_scale: Annotated[float, Field(gt=0)] = 1.0
    """What the brightest pixel is to the weights."""
    first_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Rate of the encoder's first part, as a share of the decoder's; a constant factor from each part to the next."""
    statistics: Literal["kept", "adapted"] = "adapted"
    """Whether batch norms of the encoder keep the statistics of the images that the weights were trained on."""
    decoder_depth: Annotated[int, Field(ge=1, le=16)] = 2
    """Convolutions of each level of the decoder."""
    skips: bool = True
    """Whether the decoder sees the encoder's maps of its own level."""
    attention: bool = False
    """Whether gates on the skips weigh where to look (Oktay et al. 2018)."""
    norm: Norm = "instance"
    """Of the decoder."""
    activation: Activation = "leaky-relu"
    """Of the decoder."""

    def __post_init__(self) -> None:
        check_channels(self.order, self.mean, self.std)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DeepMedic:
    """Pathways over the same centre: one at full resolution, others over wider, shrunk contexts, joined late."""

    kind: Literal["deepmedic"] = "deepmedic"
    widths: Widths = (30, 30, 40, 40, 40, 40, 50, 50)
    """Channels of each valid convolution of a pathway."""
    kernel: Kernel = (3, 3, 3)
    factors: tuple[Annotated[int, Field(ge=2, le=32)], ...] = (3,)
    """By which the context of each further pathway is shrunk; none: one pathway (Kamnitsas et al. 2017)."""
    joined: Widths = (150, 150)
    """Channels of the layers that join the pathways."""
    norm: Norm = "batch"
    activation: Activation = "relu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def __post_init__(self) -> None:
        if any(side % 2 == 0 for side in self.kernel):
            raise ValueError("`kernel` must be odd along every axis, so that pathways share a centre")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Atrous:
    """A backbone that dilates instead of shrinking the map below a stride, then pools at several rates (ASPP)."""

    kind: Literal["atrous"] = "atrous"
    widths: Widths = (16, 32, 64, 64)
    """Channels of each stage; each doubles the stride, or the dilation once it is reached."""
    depths: Repeats = (2, 2, 2, 2)
    """Residual blocks of each stage."""
    output_stride: Annotated[int, Field(ge=1, le=64)] = 4
    """By which the map is shrunk at most."""
    rates: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1)] = (2, 4, 6)
    """Dilations of the parallel convolutions at the end, in voxels of the shrunk map (Chen et al. 2017)."""
    image_pooling: bool = True
    """Whether the mean of the whole map takes part."""
    norm: Norm = "instance"
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        if len(self.depths) != len(self.widths):
            raise ValueError(f"`depths` must have as many numbers as `widths` ({len(self.widths)}), got {self.depths}")
        if self.output_stride & (self.output_stride - 1):
            raise ValueError(f"`output_stride` must be a power of two, got {self.output_stride}")
