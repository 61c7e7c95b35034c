"""Trivial augment: for each image draw one change among those that its label survives, with any strength.

It stays out by itself until its gain was measured; only changes that were measured to be harmless may be named in
`input.augment.trivial`, and the reason lists them.

Helps: long training on few images, where several changes are harmless; there is no strength to tune.
Hurts: short courses, and changes that move the label: with none measured, nothing is drawn.
Cost: drawn images are sampled between pixels or blurred, about the cost of a rotation.
Source: Mueller and Hutter 2021, arXiv:2103.10158 (200 passes over CIFAR).
"""

from typing import get_args

from fieldcraft.plan.schema import Change, ImageInput, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Skipped, Tip
from fieldcraft.tips.rough import likely_epochs

PUBLISHED_EPOCHS = 200
LEAST_CHANGES = 3


def decide(brief: Brief, plan: Plan) -> Skipped:
    """Say which changes it could draw from, and why it stays out."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return Skipped(because="rows of a table have no changes to draw from")
    if sample.augment.trivial:
        return Skipped(because=f"asked for: one of {', '.join(dict.fromkeys(sample.augment.trivial))} a sample")
    known = allowed(brief)
    if len(known) < LEAST_CHANGES:
        return Skipped(
            because=f"{len(known)} changes are measured to leave the label alone, fewer than {LEAST_CHANGES}"
        )
    return Skipped(
        because=f"{', '.join(known)} are harmless, but about {likely_epochs(brief)} passes are likely, and it was "
        f"published for {PUBLISHED_EPOCHS}"
    )


def allowed(brief: Brief) -> tuple[Change, ...]:
    """Changes that the label was measured to survive."""
    changes: tuple[Change, ...] = get_args(Change)
    found = ((change, brief.data.deep.survives(change)) for change in changes)
    return tuple(change for change, known in found if known is not None and known.survives == "yes")


TIP = Tip(name="trivial-augment", decide=decide)
