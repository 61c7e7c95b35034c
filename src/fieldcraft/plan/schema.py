"""The plan's shape: every field, its unit, its range. Each union has one open member, `kind = "import"`.

`Plan` is told apart at the top by `task` (what is predicted, with the loss and metric that belong to it) and by
`input` (what a sample is); everything else is shared.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.plan.masks import Atrous as Atrous
from fieldcraft.plan.masks import DeepMedic as DeepMedic
from fieldcraft.plan.masks import EncodedUNet as EncodedUNet
from fieldcraft.plan.masks import MaskLoss as MaskLoss
from fieldcraft.plan.masks import PatchInput as PatchInput
from fieldcraft.plan.masks import Segmentation as Segmentation
from fieldcraft.plan.masks import UNet as UNet
from fieldcraft.plan.words import STRICT, Evening, Share, Target, Width, check_channels
from fieldcraft.plan.words import Activation as Activation
from fieldcraft.plan.words import Imported as Imported
from fieldcraft.plan.words import Norm as Norm

# ---------------------------------------------------------------- task: what is predicted


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CrossEntropy:
    """Softmax cross-entropy, in nats."""

    kind: Literal["cross-entropy"] = "cross-entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the target's mass that is spread over all classes."""
    class_weights: Evening = "none"
    """How far samples of rare classes count for more; their mean over the training part is 1."""
    logit_adjustment: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Logits are raised by so many times the logarithm of their class's share, only in training (Menon et al. 2021)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BinaryCrossEntropy:
    """Sigmoid cross-entropy, averaged over the labels."""

    kind: Literal["binary-cross-entropy"] = "binary-cross-entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share by which both targets move towards one half."""
    class_weights: Evening = "none"
    """How far the rarer value of a label counts for more."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SquaredError:
    """Mean squared error of standardised targets."""

    kind: Literal["squared-error"] = "squared-error"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Huber:
    """Squared below `delta`, absolute above it, of standardised targets."""

    kind: Literal["huber"] = "huber"
    delta: Annotated[float, Field(gt=0)] = 1.0
    """In standard deviations of the target."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SingleLabel:
    """One class a sample."""

    kind: Literal["single-label"] = "single-label"
    loss: Annotated[CrossEntropy | Imported, Field(discriminator="kind")] = CrossEntropy()
    metric: Annotated[Literal["accuracy", "balanced-accuracy", "auroc", "f1", "log-loss"] | Imported, Field()] = (
        "accuracy"
    )
    """What decides between baselines and rungs, on validation."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MultiLabel:
    """Any number of labels a sample."""

    kind: Literal["multi-label"] = "multi-label"
    loss: Annotated[BinaryCrossEntropy | Imported, Field(discriminator="kind")] = BinaryCrossEntropy()
    metric: Annotated[Literal["accuracy", "auroc", "f1", "log-loss"] | Imported, Field()] = "auroc"
    """What decides between baselines and rungs, on validation; macro-averaged over the labels."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Regression:
    """One number a sample, or several."""

    kind: Literal["regression"] = "regression"
    loss: Annotated[SquaredError | Huber | Imported, Field(discriminator="kind")] = SquaredError()
    metric: Annotated[Literal["rmse", "mae", "r2"] | Imported, Field()] = "rmse"
    """What decides between baselines and rungs, on validation."""


TaskPlan = Annotated[SingleLabel | MultiLabel | Regression | Segmentation, Field(discriminator="kind")]


# ---------------------------------------------------------------- input: what a sample is


Change = Literal["translation", "rotation", "scale", "brightness", "contrast", "gray", "blur"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Augment:
    """Random changes of training images, drawn anew for each sample and step, on whole batches."""

    crop_px: Annotated[int, Field(ge=0, le=64)] = 0
    """Largest shift in each direction, reflected at the border."""
    flip_horizontal: bool = False
    flip_vertical: bool = False
    rotate_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest angle in each direction."""
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative change of size in each direction."""
    erase: Share = 0.0
    """Probability that a rectangle is erased."""
    erase_area: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    """Largest share of the image that is erased."""
    quarter_turns: bool = False
    """Whether square images are turned by 0, 90, 180 or 270 degrees, each as often."""
    brightness: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Largest shift of all pixels of an image, in deviations of the training part's pixels."""
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative change of the distances from an image's mean."""
    gray: Share = 0.0
    """Probability that an RGB image loses its colours."""
    blur: Share = 0.0
    """Probability that an image is blurred."""
    trivial: tuple[Change, ...] = ()
    """Changes of which one, or none, is drawn for each sample, with any strength (Mueller and Hutter 2021)."""
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Samples and their targets are blended in pairs, in shares from Beta(mixup, mixup); 0: never (Zhang 2018)."""
    cutmix: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Rectangles of other samples are pasted in, their areas from Beta(cutmix, cutmix); 0: never (Yun et al. 2019)."""
    own: tuple[Target, ...] = ()
    """One's own augmentations, called after the others with (batch, generator)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SmallerImages:
    """Training images of a smaller size, up to a share of a rung's steps."""

    until: Annotated[float, Field(gt=0, le=1)]
    """Share of the steps."""
    px: Annotated[int, Field(ge=1, le=4096)]
    """Shorter side."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Bucket:
    """One of several sizes; images that come to it are scaled in proportion until they cover it, the rest is cut."""

    height: Annotated[int, Field(ge=1, le=4096)]
    width: Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageInput:
    """Images, brought to one size (or one of a few) and normalised by the training part's mean and deviation."""

    kind: Literal["image"] = "image"
    height: Annotated[int, Field(ge=1, le=4096)]
    """Pixels after resizing."""
    width: Annotated[int, Field(ge=1, le=4096)]
    """Pixels after resizing."""
    channels: Annotated[int, Field(ge=1, le=64)]
    augment: Augment = Augment()
    progressive: tuple[SmallerImages, ...] = ()
    """Sizes to begin with, in the order of their ends; then, and once a cool-down has begun, the whole size."""
    buckets: tuple[Bucket, ...] = ()
    """Sizes for networks, every batch being of one; each image goes where it loses least. Empty: one size for all.
    Baselines always see `height` and `width`."""

    def __post_init__(self) -> None:
        if len({(one.height, one.width) for one in self.buckets}) != len(self.buckets):
            raise ValueError(f"`buckets` must be of different sizes, got {self.buckets}")
        if self.buckets and self.progressive:
            raise ValueError("`buckets` and `progressive` both set the size of training images: leave one empty")
        ends = [one.until for one in self.progressive]
        if ends != sorted(set(ends)):
            raise ValueError(f"`progressive` must be in the order of its ends, each `until` above the last, got {ends}")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TableInput:
    """Rows of a table, encoded to numbers by rules fitted on the training part."""

    kind: Literal["table"] = "table"
    numeric: Literal["standard", "quantile"] = "standard"
    """How numbers are scaled: to mean 0 and deviation 1, or through their ranks to a normal distribution."""
    max_levels: Annotated[int, Field(ge=2, le=1024)] = 32
    """Levels of a categorical column that get a column of their own; rarer ones share one."""


InputPlan = Annotated[ImageInput | TableInput | PatchInput, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Splits:
    """How samples are parted where the data does not say; stratified, and groups stay whole."""

    validation: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the samples that remain after the test part was taken."""
    test: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of all samples."""


# ---------------------------------------------------------------- networks

Head = Literal["global-average", "global-max", "flatten", "pyramid"]
Levels = Annotated[tuple[Annotated[int, Field(ge=1, le=16)], ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Linear:
    """One linear map from the flattened input."""

    kind: Literal["linear"] = "linear"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mlp:
    """Linear, norm, activation, dropout; as often as there are widths."""

    kind: Literal["mlp"] = "mlp"
    widths: Annotated[tuple[Width, ...], Field(min_length=1)] = (256, 256)
    norm: Norm = "batch"
    activation: Activation = "relu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    residual: bool = False
    """Whether steps of equal width are added to their input."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Cnn:
    """Stages of convolution, norm, activation; each stage but the first begins by halving the map."""

    kind: Literal["cnn"] = "cnn"
    widths: Annotated[tuple[Width, ...], Field(min_length=1)] = (32, 64, 128)
    """Channels of each stage."""
    depth: Annotated[int, Field(ge=1, le=64)] = 1
    """Convolutions a stage."""
    kernel: Annotated[int, Field(ge=1, le=31)] = 3
    padding: Literal["same", "none"] = "same"
    downsample: Literal["max-pool", "stride"] = "max-pool"
    norm: Norm = "batch"
    norm_place: Literal["before-activation", "after-activation"] = "before-activation"
    activation: Activation = "relu"
    head: Head = "global-average"
    levels: Levels = (1, 2, 4)
    """Bins a side of each grid of the head "pyramid"; other heads have none."""
    separable: bool = False
    """Whether every convolution but the first looks around in each channel alone and then mixes channels."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Before the last linear map."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ResNet:
    """Stages that begin with a convolution (halving the map after the first) and go on with residual blocks."""

    kind: Literal["resnet"] = "resnet"
    widths: Annotated[tuple[Width, ...], Field(min_length=1)] = (64, 128, 256)
    """Channels of each stage."""
    depths: Annotated[tuple[Annotated[int, Field(ge=0, le=128)], ...], Field(min_length=1)] = (1, 1, 1)
    """Residual blocks of each stage; as many numbers as `widths`."""
    kernel: Annotated[int, Field(ge=1, le=31)] = 3
    padding: Literal["same"] = "same"
    downsample: Literal["max-pool", "stride"] = "max-pool"
    norm: Norm = "batch"
    norm_place: Literal["before-activation", "before-convolution"] = "before-activation"
    """"before-convolution" is the pre-activation block of He et al. 2016."""
    activation: Activation = "relu"
    head: Head = "global-average"
    levels: Levels = (1, 2, 4)
    """Bins a side of each grid of the head "pyramid"; other heads have none."""
    separable: bool = False
    """Whether every convolution but the first looks around in each channel alone and then mixes channels."""
    squeeze_excitation: Annotated[int, Field(ge=0, le=1024)] = 0
    """Channels for each hidden unit of the gates at the end of residual branches; 0: no gates."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Before the last linear map."""

    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Chance that the last block leaves its branch out for a sample; earlier blocks less, in proportion to depth."""

    def __post_init__(self) -> None:
        if len(self.depths) != len(self.widths):
            raise ValueError(f"`depths` must have as many numbers as `widths` ({len(self.widths)}), got {self.depths}")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Tuning:
    """How a network that was taken over learns: its head first, then its body from the output to the input."""

    probe: Annotated[int, Field(ge=0, le=1_000_000)] = 2_000
    """Training samples to whose frozen features the head is fitted before the first step; 0: it starts at random."""
    head_until: Share = 0.0
    """Share of the steps in which only the head learns; 1: the body never does."""
    thawed_at: Share = 0.0
    """Share of the steps from which on all of the body learns; its parts begin one after the other, the last first."""
    first_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Rate of the body's first part, as a share of the head's; a constant factor from each part to the next."""
    statistics: Literal["kept", "adapted"] = "kept"
    """Whether batch norms keep the statistics of the images that the weights were trained on."""

    def __post_init__(self) -> None:
        if self.head_until > self.thawed_at:
            raise ValueError(f"`head_until` ({self.head_until:g}) must not lie after `thawed_at` ({self.thawed_at:g})")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Pretrained:
    """The body of a network whose weights came in a file, with a fresh head; images are shown as the weights want."""

    kind: Literal["pretrained"] = "pretrained"
    weights: Annotated[str, Field(min_length=1)]
    """The file; read when training starts. A finished run does not need it any more."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits")]
    """Of the file's bytes: other weights are refused."""
    family: Literal["cifar-resnet", "squeezenet", "torchvision", "timm"]
    """Whose network it is: fieldcraft's own, or of a library that has to be installed."""
    model: Annotated[str, Field(pattern=r"^[\w.-]+$", description="a name such as resnet18")]
    """Which network of the family: a depth, a version, or the library's name."""
    height: Annotated[int, Field(ge=1, le=4096)]
    """Pixels to which images are brought inside the network."""
    width: Annotated[int, Field(ge=1, le=4096)]
    """Pixels to which images are brought inside the network."""
    order: Literal["rgb", "bgr", "gray"] = "rgb"
    """Of the channels; gray images are repeated, colours become gray by their luminance."""
    mean: tuple[float, ...]
    """Of each channel, in that order, for pixels from 0 to `full_scale`."""
    std: tuple[Annotated[float, Field(gt=0)], ...]
    full_scale: Annotated[float, Field(gt=0)] = 1.0
    """What the brightest pixel is to the weights."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Before the head."""
    tuning: Tuning = Tuning()

    def __post_init__(self) -> None:
        check_channels(self.order, self.mean, self.std)


Network = Annotated[
    Linear | Mlp | Cnn | ResNet | Pretrained | UNet | EncodedUNet | DeepMedic | Atrous | Imported,
    Field(discriminator="kind"),
]
TakenOver = Pretrained | EncodedUNet
"""Networks that begin with weights from a file."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Initialisation:
    """What the weights are before the first step."""

    kind: Literal["default", "he", "xavier", "orthogonal"] = "default"
    """"default" leaves what PyTorch does."""
    zero_residual: bool = False
    """Whether the last norm (or convolution) of each residual branch starts at zero, and adds nothing at first."""
    whiten: bool = False
    """Whether the first convolution starts from (and keeps) the whitening filters of training patches."""


# ---------------------------------------------------------------- ladder


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CoolDown:
    """The schedule leaves its course at step `at` and goes straight down to its last rate at step `end`."""

    at: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]

    def __post_init__(self) -> None:
        if self.at > self.end:
            raise ValueError(f"a cool-down must not end (step {self.end}) before it begins (step {self.at})")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Retiming:
    """From step `at` on the rest of the schedule is stretched or compressed, so that the rung ends at step `end`."""

    at: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]

    def __post_init__(self) -> None:
        if self.at >= self.end:
            raise ValueError(f"a retiming must end (step {self.end}) after it begins (step {self.at})")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SmallerMicro:
    """From step `at` on, `size` samples pass through at once, because memory did not suffice for more."""

    at: Annotated[int, Field(ge=0)]
    size: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BackOff:
    """From step `at` on the learning rate is `scale` times that of the schedule: the loss was no number, or leapt."""

    at: Annotated[int, Field(ge=0)]
    scale: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rung:
    """One network of the ladder and how long it trains."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
            description="lower-case words and numbers, a letter first, joined by hyphens",
        ),
    ]
    network: Network
    steps: Annotated[int, Field(ge=1)]
    """Optimiser steps for which the schedule is laid out."""
    lr: Annotated[float, Field(gt=0, le=100)]
    """Peak learning rate."""
    most_steps: Annotated[int, Field(ge=0)] = 0
    """Steps up to which the schedule may be stretched where time is left over; not where this is `steps` or fewer."""
    copy_of: str = ""
    """Name of the rung whose network is trained once more here, from other weights and in another order of samples."""
    retimings: tuple[Retiming, ...] = ()
    """Where the machine was faster or slower than planned, in the order in which they were decided."""
    cool_downs: tuple[CoolDown, ...] = ()
    """Early ends, in the order in which they were decided; the rung ends where the last one does."""
    smaller_micros: tuple[SmallerMicro, ...] = ()
    """Where fewer samples than `batch.micro` passed at once; the smallest that was reached holds."""
    back_offs: tuple[BackOff, ...] = ()
    """Where the rate was cut because of the loss; the smallest scale that was reached holds."""


ENSEMBLE = "ensemble"
"""Name of the candidate that averages others."""
Baseline = Literal["majority", "linear", "boosting", "mean-shape", "voxel-boosting"]
"""The last two are of segmentation: the commonest class at each place, and boosted trees over filters of the image."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Ladder:
    """Baselines, then networks from small to large."""

    baselines: tuple[Baseline, ...] = ("majority", "linear", "boosting")
    rungs: tuple[Rung, ...] = ()
    climb: Literal["while-it-pays", "always"] = "while-it-pays"
    """Whether a rung is trained only when the one below it gained more than its noise; "always" trains them all."""
    ensemble: Literal["none", "if-better"] = "none"
    """Whether candidates are averaged at the end and kept together if that gains; weights are chosen on validation, of
    masks they are equal."""

    def __post_init__(self) -> None:
        names = [rung.name for rung in self.rungs]
        if len(set(names)) != len(names):
            raise ValueError(f"every rung needs its own name, got {names}")
        if ENSEMBLE in names:
            raise ValueError(f"no rung may be called {ENSEMBLE}: so the average of several is called")
        copies = [rung.name for rung in self.rungs if rung.copy_of]
        if copies and self.ensemble == "none":
            raise ValueError(
                f"{', '.join(copies)} would be trained to be averaged, and `ensemble` is none: with --without ensemble "
                "no network is trained again, and none averaged"
            )


# ---------------------------------------------------------------- how it learns


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Supervised:
    """Learn from labelled samples alone."""

    kind: Literal["supervised"] = "supervised"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Sgd:
    """Stochastic gradient descent with momentum; the peak rate stands with each rung."""

    kind: Literal["sgd"] = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Added to the gradient: torch.optim.SGD's convention."""
    decay_norms_and_biases: bool = True


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AdamW:
    """Adam with decoupled weight decay; the peak rate stands with each rung."""

    kind: Literal["adamw"] = "adamw"
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Multiplied by the rate: torch.optim.AdamW's convention."""
    decay_norms_and_biases: bool = True


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RmsProp:
    """Gradients divided by the root of their running mean square; the peak rate stands with each rung."""

    kind: Literal["rmsprop"] = "rmsprop"
    alpha: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Share of the running mean square kept at each step."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Of the divided gradients."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Added to the gradient: torch.optim.RMSprop's convention."""
    decay_norms_and_biases: bool = True


Optimiser = Annotated[Sgd | AdamW | RmsProp, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Constant:
    """The peak rate throughout."""

    kind: Literal["constant"] = "constant"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OneCycle:
    """Up to the peak rate, then down to almost nothing."""

    kind: Literal["one-cycle"] = "one-cycle"
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share of the steps on the way up."""
    start: Share = 0.04
    """First rate, as a share of the peak."""
    end: Share = 0.001
    """Last rate, as a share of the peak."""
    shape: Literal["linear", "cosine"] = "cosine"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Cosine:
    """A straight way up, then half a cosine down."""

    kind: Literal["cosine"] = "cosine"
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the steps on the way up."""
    end: Share = 0.0
    """Last rate, as a share of the peak."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Step:
    """A straight way up, then the peak rate, cut at given places."""

    kind: Literal["step"] = "step"
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the steps on the way up."""
    at: tuple[Share, ...] = (0.5, 0.75)
    """Where the rate is cut, as shares of the steps."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """What each cut leaves of the rate."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Restarts:
    """A straight way up, then half a cosine down, and down again from the peak, each time for longer (SGDR)."""

    kind: Literal["restarts"] = "restarts"
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the steps on the way up, before the first descent."""
    cycles: Annotated[int, Field(ge=1, le=64)] = 3
    """Descents; the last one ends with the last step."""
    growth: Annotated[float, Field(ge=1, le=10)] = 2.0
    """How many times as long as the one before it each descent is."""
    end: Share = 0.0
    """Rate at the end of each descent, as a share of the peak."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Plateau:
    """A straight way up, then the peak rate, cut whenever the metric on validation has stopped getting better.

    Validation is looked at ten times in the course of a rung.
    """

    kind: Literal["plateau"] = "plateau"
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the steps on the way up."""
    patience: Annotated[int, Field(ge=1, le=9)] = 1
    """Looks at validation without a gain before the rate is cut."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """What each cut leaves of the rate."""
    min_gain: Annotated[float, Field(ge=0)] = 0.0
    """What counts as a gain must be larger than this, in units of the metric."""
    end: Share = 0.001
    """Least rate, as a share of the peak; where an early end cools down to."""


Schedule = Annotated[Constant | OneCycle | Cosine | Step | Restarts | Plateau, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NoClipping:
    """Gradients as they are."""

    kind: Literal["none"] = "none"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClipNorm:
    """All gradients together are scaled down to a largest norm."""

    kind: Literal["norm"] = "norm"
    most: Annotated[float, Field(gt=0)] = 1.0
    """Largest Euclidean norm over all weights."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AutoClip:
    """All gradients together are scaled down to a percentile of the norms seen so far (Seetharaman et al. 2020)."""

    kind: Literal["auto"] = "auto"
    percentile: Annotated[float, Field(gt=0, le=100)] = 10.0
    window: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Most recent norms that are remembered."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AdaptiveClip:
    """Each unit's gradient is scaled down to a share of its weights' norm, the last linear map apart (Brock 2021)."""

    kind: Literal["adaptive"] = "adaptive"
    share: Annotated[float, Field(gt=0)] = 0.02
    """Largest norm of a unit's gradient, as a share of the norm of its weights."""
    eps: Annotated[float, Field(gt=0)] = 1e-3
    """Least norm that weights count with, so that those at zero can move."""


Clipping = Annotated[NoClipping | ClipNorm | AutoClip | AdaptiveClip, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NoStopping:
    """Every rung takes all its steps, and its last weights count."""

    kind: Literal["none"] = "none"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Patience:
    """A rung ends when the metric on validation has stopped getting better; the weights of the best look count.

    Validation is looked at ten times in the course of a rung, and at its end.
    """

    kind: Literal["patience"] = "patience"
    looks: Annotated[int, Field(ge=1, le=10)] = 3
    """Looks at validation without a gain before the rung ends."""
    min_gain: Annotated[float, Field(ge=0)] = 0.0
    """What counts as a gain must be larger than this, in units of the metric."""


Stopping = Annotated[NoStopping | Patience, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Batch:
    """Samples a step."""

    size: Annotated[int, Field(ge=1)] = 128
    micro: Annotated[int, Field(ge=1)] | None = None
    """Samples that pass through at once; gradients of the parts are summed. None: all. Batch norm sees these."""
    sampling: Evening = "none"
    """How far rare classes are drawn more often; an epoch stays as long."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Averaging:
    """Exponential moving average of the weights, used for validation and for the result."""

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the average kept at each step; 0: no averaging."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Execution:
    """How the machine runs it."""

    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    channels_last: bool = False
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    flush_denormals: bool = False
    """Whether numbers too small for full precision count as zero (they can cost ten times the time)."""
    allocator: Literal["default", "tuned"] = "default"
    """"tuned" keeps freed memory for the next step; works only from process start."""
    compile: bool = False
    """Whether training steps run through torch.compile; validation and predictions never do."""
    memory_mib: Annotated[int, Field(ge=1)] | None = None
    """Most MiB of a training step on its device, weights included; a share of what is free is a bound of its own."""


View = Literal["mirror", "upside-down", "quarter-turns", "shift"]
"""Left and right swapped; top and bottom; the four quarter turns; moved by one pixel along both diagonals."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Prediction:
    """What predictions promise."""

    calibrate: bool = True
    """Whether one temperature is fitted on validation (Guo et al. 2017)."""
    sure_accuracy: Annotated[float, Field(gt=0, lt=1)] = 0.99
    """Accuracy wanted among the predictions called sure; the threshold is chosen on validation."""
    interval: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Coverage wanted of regression intervals."""
    tta: tuple[View, ...] = ()
    """Views of an image, with all their combinations, over which the network's outputs are averaged."""
    limit_macs: Annotated[int, Field(ge=1)] | None = None
    """Most multiply-adds that a network may take for one sample."""
    limit_ms: Annotated[float, Field(gt=0)] | None = None
    """Most milliseconds that a network may take for one sample by itself, in fp32 on this machine's CPU."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Plan:
    """How a model is trained, from seed to prediction."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    task: TaskPlan
    input: InputPlan
    splits: Splits = Splits()
    regime: Supervised = Supervised()
    initialisation: Initialisation = Initialisation()
    optimiser: Optimiser = AdamW()
    schedule: Schedule = Constant()
    clipping: Clipping = NoClipping()
    stopping: Stopping = NoStopping()
    batch: Batch = Batch()
    averaging: Averaging = Averaging()
    execution: Execution = Execution()
    prediction: Prediction = Prediction()
    ladder: Ladder = Ladder()
