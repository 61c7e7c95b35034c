"""The arms of segmentation_claims.py, the sets that they are trained on, and what is compared with what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import nibabel
import numpy as np

import fieldcraft as fc
from fieldcraft.build.mask_network import build_mask_network
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.data.splits import Parts
from fieldcraft.plan.masks import Atrous, DeepMedic, PatchInput, UNet
from fieldcraft.plan.schema import Averaging, Network, Plan
from fieldcraft.plan.toml import read_plan, to_toml
from fieldcraft.records.masks import ScoreSettings
from fieldcraft.verbs.masks.samples import MaskSamples, ready_masks
from fieldcraft.verbs.prepare import prepare
from fits import DATA
from segmentation_sets import FOLDS, nnunet_fold

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "segmentation_claims"
RUNG = "net"  # one name for all arms: they draw the same patches in the same order
BASE, NO_SKIPS, PLACEBO = "skips", "no skips", "placebo"
SKIPS = "skips improve boundaries more than overlap"
VALIDATED = 16
REACH = 0.05  # of the steps: how far back averages of weights reach, as the tip has it
LARGE, SHORT = "one 7x7x7", "one 7x7x7, a third of the steps"
KERNEL_STEPS = {"three 3x3x3": 210, LARGE: 210, SHORT: 70}  # a step of the large kernel takes three times as long
LATE = (LARGE,)  # trained last: it takes longest
CROP = (32, 40, 32)  # of hippocampus patches: most of a case
SIDE = 288  # of ISBI patches: a multiple of 32 and of 3, whole slices are seen in one piece
RIM_PX = 2.0  # of boundary IoU of cells: 2 % of a slice's diagonal would be 14 pixels, most of a small cell


def unet(width: int, axes: int, levels: int, *, kernel: int = 3, depth: int = 2) -> UNet:
    return UNet(
        widths=tuple(width * 2**level for level in range(levels)),
        depths=(depth,) * levels,
        decoder_depth=depth,
        kernels=((kernel,) * axes,) * levels,
        strides=((2,) * axes,) * (levels - 1),
    )


def atrous(stride: int) -> Atrous:
    """Five stages to a stride; rates as the tip has them, within the map of a patch."""
    sixth = max(1, SIDE // stride // 6)
    return Atrous(
        widths=(8, 16, 32, 32, 32),
        depths=(1,) * 5,
        output_stride=stride,
        rates=(sixth, 2 * sixth, 3 * sixth),
        activation="leaky-relu",
    )


def pathways(widths: Sequence[int], *factors: int) -> DeepMedic:
    return DeepMedic(
        widths=tuple(widths), kernel=(3, 3), factors=factors, joined=(24, 24), norm="instance", activation="leaky-relu"
    )


def parameters(network: Network, axes: int, classes: int) -> int:
    assert isinstance(network, UNet | DeepMedic | Atrous)
    net = build_mask_network(network, channels=1, spatial=axes, classes=classes)
    return sum(one.numel() for one in net.parameters())


def one_pathway_like(two: DeepMedic) -> DeepMedic:
    """As many weights in one pathway as in two, by its widths."""
    layers, wanted = len(two.widths), parameters(two, 2, 2)
    tried = [pathways((w + 1,) * k + (w,) * (layers - k)) for w in range(4, 40) for k in range(layers)]
    return min(tried, key=lambda one: abs(parameters(one, 2, 2) - wanted))


TWO = pathways((8,) * 8, 3)
VOLUME, SLICE = unet(4, 3, 4), unet(8, 2, 5)
SMALL_KERNELS = replace(unet(3, 3, 4, depth=3), downsample="max-pool")
LARGE_KERNELS = replace(unet(3, 3, 4, depth=1, kernel=7), downsample="max-pool")
HIPPOCAMPUS: Mapping[str, Network] = {
    BASE: VOLUME,
    PLACEBO: VOLUME,
    NO_SKIPS: replace(VOLUME, skips=False),
    "batch norm": replace(VOLUME, norm="batch"),
    "group norm": replace(VOLUME, norm="group"),
    "three 3x3x3": SMALL_KERNELS,
    SHORT: LARGE_KERNELS,
    LARGE: LARGE_KERNELS,
}
ISBI: Mapping[str, Network] = {
    BASE: SLICE,
    PLACEBO: SLICE,
    NO_SKIPS: replace(SLICE, skips=False),
    "stride 4": atrous(4),
    "stride 8": atrous(8),
    "stride 16": atrous(16),
    "stride 32": atrous(32),
    "two pathways": TWO,
    "one pathway": one_pathway_like(TWO),
}


@dataclass(frozen=True)
class Contrast:
    """An arm against another, and the claim that it is about."""

    claim: str
    arm: str
    against: str


CONTRASTS: Mapping[str, tuple[Contrast, ...]] = {
    "hippocampus": (
        Contrast(PLACEBO, PLACEBO, BASE),
        Contrast(SKIPS, BASE, NO_SKIPS),
        Contrast("three 3x3x3 against one 7x7x7, as many steps", "three 3x3x3", LARGE),
        Contrast("three 3x3x3 against one 7x7x7, about the same time", "three 3x3x3", SHORT),
        Contrast("instance norm against batch norm at batch 2", BASE, "batch norm"),
        Contrast("group norm against batch norm at batch 2", "group norm", "batch norm"),
    ),
    "isbi": (
        Contrast(PLACEBO, PLACEBO, BASE),
        Contrast(SKIPS, BASE, NO_SKIPS),
        *(
            Contrast(f"atrous at stride {fine} against pooling to {coarse}", f"stride {fine}", f"stride {coarse}")
            for fine in (4, 8)
            for coarse in (16, 32)
        ),
        Contrast("two pathways against one", "two pathways", "one pathway"),
    ),
}


@dataclass(frozen=True, eq=False)
class Set:
    """A data set with its arms."""

    name: str
    source: Path
    """What the plan is drafted from."""
    trained_on: Callable[[Path], Path]
    """From the source to what is trained on."""
    reader: str | None
    axes: int
    thin: int
    """The class whose Dice decides on validation from which probability on a voxel is of class 1."""
    steps: int
    other_steps: Mapping[str, int]
    """Of arms that are compared with each other alone."""
    arms: Mapping[str, Network]
    settings: ScoreSettings
    parts: Callable[[Sequence[str], int], Parts]
    """From names and the number of a pair."""

    def steps_of(self, arm: str) -> int:
        """Of the training of an arm."""
        return self.other_steps.get(arm, self.steps)


def whole(source: Path) -> Path:
    """Anterior and posterior hippocampus as one class."""
    found = BUILD / "whole"
    if not found.exists():
        half = BUILD / "half"
        (half / "labelsTr").mkdir(parents=True, exist_ok=True)
        (half / "imagesTr").symlink_to(source / "imagesTr")
        for path in sorted((source / "labelsTr").glob("hippo*.nii.gz")):
            labels = nibabel.load(path)
            merged = (np.asarray(labels.dataobj) > 0).astype(np.uint8)
            nibabel.save(nibabel.Nifti1Image(merged, labels.affine), half / "labelsTr" / path.name)
        half.rename(found)
    return found


def fold(names: Sequence[str], pair: int) -> Parts:
    """nnU-Net's folds."""
    rest, test = nnunet_fold(names, pair % FOLDS)
    mixed = np.random.default_rng(pair).permutation(rest)
    validation, kept = mixed[:VALIDATED], mixed[VALIDATED:]
    return Parts(*(np.sort(one).astype(np.int64) for one in (kept, validation, test)))


def layout(names: Sequence[str], pair: int) -> Parts:
    """Slices in their order; a slice is dropped between parts. Odd pairs are mirrored."""
    order = np.array(sorted(range(len(names)), key=lambda row: int("".join(filter(str.isdigit, names[row])))))
    order = order[::-1] if pair % 2 else order
    return Parts(*(np.sort(one).astype(np.int64) for one in (order[:12], order[13:17], order[18:])))


SETS = (
    Set(
        "hippocampus", DATA / "msd_hippocampus", whole, None, 3, 1, 160, KERNEL_STEPS,
        HIPPOCAMPUS, ScoreSettings(), fold,
    ),
    Set(
        "isbi", DATA / "isbi2012_membrane" / "train", lambda source: source, "image-masks", 2, 0, 120, {}, ISBI,
        ScoreSettings(membrane=0, boundary_mm=RIM_PX), layout,
    ),
)  # fmt: skip


def planned(one: Set) -> Plan:
    """What `fieldcraft plan` says of the set, drafted once; with the patch and the steps of this benchmark."""
    path = BUILD / f"{one.name}.toml"
    if not path.exists():
        found = fc.draft(one.source, budget="5m", evidence=False)
        path.write_text(to_toml(found.plan, found.decisions))
    plan = read_plan(path).plan
    assert isinstance(plan.input, PatchInput)
    return replace(
        plan,
        input=replace(plan.input, patch=CROP if one.axes == 3 else (SIDE, SIDE)),
        batch=replace(plan.batch, size=2),
        averaging=Averaging(decay=round(1 - 1 / (REACH * one.steps), 4)),
    )


def of_arm(plan: Plan, network: Network, steps: int, seed: int) -> Plan:
    rung = replace(plan.ladder.rungs[-1], name=RUNG, network=network, steps=steps, cool_downs=())
    return replace(plan, seed=seed, ladder=replace(plan.ladder, rungs=(rung,)))


@dataclass(frozen=True, eq=False)
class Opened:
    """A set that was read."""

    what: Set
    plan: Plan
    samples: MaskSamples

    def of_pair(self, pair: int) -> MaskSamples:
        """Parted as a pair has it."""
        return replace(self.samples, parts=self.what.parts(self.samples.dataset.ids, pair))


@cache
def opened(what: Set) -> Opened:
    plan = planned(what)
    found = prepare(what.trained_on(what.source), ReadOptions(kind=what.reader), seed=0, plan=plan)
    samples = ready_masks(found.dataset, found.parts, plan, BUILD / "cache", found.digest)
    return Opened(what, plan, samples)
