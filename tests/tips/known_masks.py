"""Briefs of image sets with masks that are well known: small volumes of one organ, pictures of thin membranes."""

from dataclasses import replace
from typing import Any

from tests.tips.known_briefs import MACHINE, found

from fieldcraft.plan.masks import PatchInput, Segmentation
from fieldcraft.plan.schema import EncodedUNet, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.records.facts import Budget, DataFacts, Facts, TargetFacts
from fieldcraft.records.segmentation import CaseFacts, ClassFacts, Intensity, Mirror, Spread
from fieldcraft.records.weights import Wants, WeightsFacts


def around(middle: float, factor: float = 1.0) -> Spread:
    return Spread(least=middle / factor, low=middle / factor, median=middle, high=middle * factor, most=middle * factor)


def looks(mean: float, std: float = 50.0) -> tuple[Intensity, ...]:
    return (Intensity(mean=mean, std=std, low=mean - std, median=mean, high=mean + std),)


def one_class(name: str, share: float, extent: tuple[float, ...], **given: Any) -> ClassFacts:
    fields: dict[str, Any] = {
        "name": name, "share": share, "cases": 1.0, "objects": around(1.0),
        "extent_px": tuple(around(side) for side in extent), "extent_mm": tuple(around(side) for side in extent),
        "boundary": 0.3, "intensity": looks(150.0), "centre": (0.5,) * len(extent),
        "centre_std": (0.04,) * len(extent),
    }  # fmt: skip
    return ClassFacts(**{**fields, **given})


def masks(
    shape: tuple[int, ...],
    *classes: ClassFacts,
    spacing: tuple[float, ...] | None = None,
    train: int = 160,
    mirrors: str = "cannot-tell",
    seconds: float | None = 900.0,
    **given: Any,
) -> Brief:
    spacing = spacing or (1.0,) * len(shape)
    background = one_class("background", 1 - sum(one.share for one in classes), tuple(map(float, shape)), objects=None)
    fields: dict[str, Any] = {
        "spatial": len(shape), "channels": 1, "channel_names": (), "unit": "mm", "orientations": ("RAS",),
        "shape": found(tuple(around(side) for side in shape)), "spacing": found(tuple(around(one) for one in spacing)),
        "anisotropy": found(max(spacing) / min(spacing)), "intensity": found(looks(100.0)),
        "foreground": found(looks(150.0)), "classes": found((background, *classes)), "void": found(0.0),
        "mirrors": found(tuple(Mirror(axis=axis, survives=mirrors, because="told") for axis in range(len(shape)))),
        "memory_mib": found(100.0), "largest_mib": found(1.0),
    }  # fmt: skip
    names = ("background", *(one.name for one in classes))
    return Brief(
        facts=Facts(
            data=DataFacts(
                name="known", digest="0" * 16, samples=2 * train, train=train, validation=train // 2,
                test=train // 2, grouped=False, duplicates=found(0),
                target=TargetFacts(
                    task="segmentation", outputs=len(names), names=names, counts=found((train,) * len(names)),
                    imbalance=None,
                ),
                inputs=CaseFacts(**{**fields, **given}),
            ),
            machine=MACHINE,
            budget=Budget(seconds=seconds),
        )
    )  # fmt: skip


HIPPOCAMPUS = masks(
    (35, 51, 35),
    one_class("anterior", 0.028, (18, 16, 16), boundary=0.45),
    one_class("posterior", 0.025, (24, 26, 23), boundary=0.48),
)
MEMBRANES = masks(
    (512, 512),
    one_class("membrane", 0.22, (500, 500), boundary=0.6, centre_std=(0.01, 0.01), intensity=looks(60.0)),
    train=15, mirrors="yes", unit="px", orientations=(),
)  # fmt: skip
CARDIAC = masks(
    (320, 320, 12),
    one_class("left", 0.01, (60, 60, 3)),
    one_class("right", 0.01, (60, 60, 3)),
    spacing=(1.25, 1.25, 10.0),
)
"""Thick slices."""
ABDOMEN = masks(
    (512, 512, 300),
    one_class("liver", 0.02, (250, 250, 150), boundary=0.05),
    one_class("lesion", 0.0005, (20, 20, 15), objects=around(5.0, 3.0), centre_std=(0.2, 0.2, 0.2)),
    spacing=(0.8, 0.8, 1.5), channel_names=("CT",),
)  # fmt: skip
KNOWN_MASKS = {"hippocampus": HIPPOCAMPUS, "membranes": MEMBRANES, "cardiac": CARDIAC, "abdomen": ABDOMEN}

WEIGHTS = WeightsFacts(
    name="known", file="/known/resnet18.pth", digest="1" * 32, family="torchvision", model="resnet18",
    wants=Wants(height=224, width=224, order="rgb", mean=(0.5,) * 3, std=(0.25,) * 3, full_scale=1.0),
    any_size=True, features=512, parameters=11_000_000, parts=10, norms=20, matched=120,
    maps=((64, 4), (128, 8), (256, 16)),
)  # fmt: skip
ENCODED = EncodedUNet(
    weights=WEIGHTS.file, digest=WEIGHTS.digest, family=WEIGHTS.family, model=WEIGHTS.model, mean=WEIGHTS.wants.mean,
    std=WEIGHTS.wants.std,
)  # fmt: skip
"""A network that is taken over: nothing is known of it from the plan alone."""


def with_weights(known: Brief, *weights: WeightsFacts) -> Brief:
    return Brief(facts=replace(known.facts, weights=weights))


def start_masks(known: Brief) -> Plan:
    """The plan before any tip."""
    facts = known.cases
    assert facts is not None
    sides = tuple(round(one.median) for one in facts.shape.value)
    return Plan(task=Segmentation(), input=PatchInput(channels=facts.channels, patch=sides))


def with_input(plan: Plan, **fields: Any) -> Plan:
    return replace(plan, input=replace(plan.input, **fields))
