"""From the plan's changes of patches to those that batches are made with."""

from fieldcraft.data.patches.changes import Look, Shape
from fieldcraft.plan.masks import MaskAugment

KNOTS = 16.0
"""Voxels between the knots of bends, at least; more where bends are strong, so that nothing folds."""


def build_shape(augment: MaskAugment) -> Shape:
    """Changes of image and mask together."""
    return Shape(
        flip=augment.flip,
        rotate_deg=augment.rotate_deg,
        turn_about=augment.turn_about,
        scale=augment.scale,
        elastic=augment.elastic,
        knots=max(KNOTS, 2.5 * augment.elastic),
        share=augment.shape_share,
    )


def build_look(augment: MaskAugment) -> Look:
    """Changes of intensities."""
    return Look(
        noise=augment.noise,
        blur=augment.blur,
        brightness=augment.brightness,
        contrast=augment.contrast,
        gamma=augment.gamma,
        share=augment.look_share,
    )
