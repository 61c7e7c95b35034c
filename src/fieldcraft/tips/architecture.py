"""Architecture: start from the family that fits the samples, and climb from a small network to larger ones.

Convolutions for images, fully connected layers for rows of a table; always above baselines that need no network.
What is laid down here is the plain textbook form (5x5 convolutions without padding, tanh, no norm); the tips that come
after turn it into today's, each with its own reason.

Helps: sharing weights over positions saves most of the samples that an image network would need without it; a small
network first shows early whether a larger one pays.
Hurts: on small tables trees and linear models are hard to beat, so they run first.
Cost: the baselines and the small network, at most about a third of the budget together.
Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86(11);
for tables Grinsztajn et al. 2022, arXiv:2207.08815.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, ImageInput, Imported, Ladder, Mlp, Network, Plan, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

FIRST_LR = 1e-3
"""A rate that no network of these minds, until the optimiser is chosen."""
TINY_TRAIN = 1_000
"""Below so many training samples networks are half as wide."""
LARGER_FROM_S, LARGER_FROM_TRAIN = 1_200.0, 5_000
"""A third network needs this much time and this many training samples."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Lay down the ladder's networks by what a sample is and how many there are."""
    own = [rung.network.target for rung in plan.ladder.rungs if isinstance(rung.network, Imported)]
    if own:
        return Skipped(because=f"the network is your own: {own[0]}")
    networks = _for_images(brief, plan.input) if isinstance(plan.input, ImageInput) else _for_rows(brief)
    rungs = tuple(
        Rung(name=name, network=network, steps=1, lr=FIRST_LR)
        for name, network in zip(("small", "large", "larger"), networks, strict=False)
    )
    ladder = Ladder(baselines=("majority", "linear", "boosting"), rungs=rungs, climb="while-it-pays")
    return Applied(
        plan=replace(plan, ladder=ladder), because=f"{_what(brief, plan)}; {len(rungs)} networks, small to large"
    )


def _what(brief: Brief, plan: Plan) -> str:
    train = f"{brief.data.train:,} training"
    if isinstance(plan.input, ImageInput):
        return f"{train} images of {plan.input.height}x{plan.input.width} px: weights shared over positions"
    width = brief.table.width if brief.table else 0
    return f"{train} rows of {width} numbers without an order: fully connected layers"


def _for_images(brief: Brief, sample: ImageInput) -> tuple[Network, ...]:
    side_px = min(sample.height, sample.width)
    # Two stages of 5x5 without padding leave a map: ((16 - 4) - 4) / 2 = 4 px.
    kernel, stages = (5, 2) if side_px >= 16 else (3, 1)
    base = 16 if brief.data.train < TINY_TRAIN else 32
    return tuple(
        Cnn(
            widths=tuple(base * factor * 2**stage for stage in range(stages)),
            kernel=kernel,
            padding="none" if side_px >= kernel else "same",
            norm="none",
            activation="tanh",
        )
        for factor in (1, 2, 4)[: _rungs(brief)]
    )


def _for_rows(brief: Brief) -> tuple[Network, ...]:
    base = 32 if brief.data.train < TINY_TRAIN else 64
    sizes = ((base,), (4 * base, 4 * base), (8 * base, 8 * base, 8 * base))
    return tuple(Mlp(widths=widths, norm="none", activation="tanh") for widths in sizes[: _rungs(brief)])


def _rungs(brief: Brief) -> int:
    seconds = brief.budget.seconds
    long = seconds is not None and seconds >= LARGER_FROM_S
    return 3 if long and brief.data.train >= LARGER_FROM_TRAIN else 2


TIP = Tip(name="architecture", decide=decide)
