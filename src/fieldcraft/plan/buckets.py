"""How well images of any size fit into the sizes of a plan's buckets: plain arithmetic."""

from collections.abc import Sequence
from math import log2

from fieldcraft.plan.schema import Bucket

AN_OCTAVE = 0.1
"""What halving or doubling the sides counts, beside the share of an image that is cut off."""


def cut_off(height: int, width: int, bucket: Bucket) -> float:
    """Share of an image that is lost when it is scaled in proportion until it covers the bucket; in [0, 1)."""
    ratio = (width * bucket.height) / (height * bucket.width)
    return 1 - min(ratio, 1 / ratio)


def misfit(height: int, width: int, bucket: Bucket) -> float:
    """Share that is cut off, and something for the change of scale in either direction; 0 for the same size."""
    scale = max(bucket.height / height, bucket.width / width)
    return cut_off(height, width, bucket) + AN_OCTAVE * abs(log2(scale))


def nearest(height: int, width: int, buckets: Sequence[Bucket]) -> int:
    """Place of the bucket that fits an image best; the first of equals."""
    return min(range(len(buckets)), key=lambda place: misfit(height, width, buckets[place]))
