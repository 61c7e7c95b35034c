"""How large the objects are, and where in the frame."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.affordable import affordable
from fieldcraft.fingerprint.foreground import Box, by_contrast
from fieldcraft.fingerprint.ridges import coded
from fieldcraft.fingerprint.saliency import by_saliency
from fieldcraft.fingerprint.shrink import shrunk
from fieldcraft.fingerprint.some import Rows, some, told
from fieldcraft.records.deep_facts import Geometry
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Task

LONGEST_SIDE, LONGEST_SALIENT = 96, 32
LEAST_FOUND = 0.6
"""Share of the images in which an object must stand out."""
SECONDS_A_THOUSAND = 0.75
LEAST, MOST, MOST_SALIENT = 200, 1_000, 900
FEWEST = 20


def geometry(
    pixels: npt.NDArray[np.generic],
    targets: npt.NDArray[np.generic],
    groups: npt.NDArray[np.generic] | None,
    task: Task,
    *,
    seed: int,
    limit_s: float,
) -> Geometry | None:
    """Extent, share and position of the objects, on a subsample of the images (n, height, width, channels).

    First by contrast against the border; where fewer than six in ten images have a plain border and an object that
    stands out from it, by the evidence that a linear probe of the pixels finds. None: neither can be had, or there are
    fewer than 20 images.
    """
    most = affordable(limit_s, pixels[:1].size, seconds_a_thousand=SECONDS_A_THOUSAND, power=1, least=LEAST, most=MOST)
    rows = some(targets, most, seed, "geometry")
    if len(rows) < FEWEST:
        return None
    images = shrunk(pixels, rows, LONGEST_SIDE)
    found = _found([by_contrast(image) for image in images])
    if len(found) >= LEAST_FOUND * len(rows):
        return _geometry(found, images, pixels, rows, "largest region that differs from the border (Otsu)")
    rows = some(targets, min(most, MOST_SALIENT), seed, "geometry")
    images = shrunk(pixels, rows, LONGEST_SALIENT)
    boxes = by_saliency(images, coded(targets[rows], task), None if groups is None else groups[rows], seed)
    found = _found(boxes or [])
    if not found:
        return None
    return _geometry(found, images, pixels, rows, "region of the strongest evidence of a linear probe of the pixels")


def _found(boxes: list[Box | None]) -> list[Box]:
    return [box for box in boxes if box is not None]


def _geometry(
    found: list[Box], images: npt.NDArray[np.float64], pixels: npt.NDArray[np.generic], rows: Rows, method: str
) -> Geometry:
    height, width = images.shape[1:3]
    scale = pixels.shape[1] / height, pixels.shape[2] / width
    sides = np.array([max(box.height * scale[0], box.width * scale[1]) for box in found])
    across = np.array([(box.left + box.width / 2) / width for box in found])
    down = np.array([(box.top + box.height / 2) / height for box in found])
    low, middle, high = (float(value) for value in np.quantile(sides, (0.1, 0.5, 0.9)))
    stood_out = f"{len(found):,} in which it stands out, of {told(len(rows), len(pixels), 'training images')}"
    share = float(np.median([box.share for box in found]))
    return Geometry(
        extent=Fact(value=(low, middle, high), method=f"longer side of the box of the {method}", sample=stood_out),
        share=Fact(value=share, method=f"median share of the {method}", sample=stood_out),
        spread=Fact(
            value=(float(across.std()), float(down.std())),
            method=f"deviation of the centre of the box of the {method}",
            sample=stood_out,
        ),
    )
