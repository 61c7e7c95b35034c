"""One's own augmentations, found by name."""

from typing import cast

from fieldcraft.build.imported import load_target
from fieldcraft.data.augment import Own
from fieldcraft.plan.schema import Augment


def build_own_augmentations(augment: Augment) -> tuple[Own, ...]:
    """The callables of `augment.own`, in order; each is called with (batch, generator) and returns the new batch.

    Raises: PlanError when one cannot be found.
    """
    return tuple(cast(Own, load_target(target, "augmentation")) for target in augment.own)
