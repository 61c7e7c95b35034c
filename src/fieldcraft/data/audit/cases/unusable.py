"""Cases that cannot be used: damaged files, missing pairs, shapes and spacings that do not fit, and more."""

from collections import defaultdict

from fieldcraft.data.audit.cases.seen import SeenCases
from fieldcraft.records.audit import Complaint, Kind

WORDS: dict[Kind, str] = {
    "unreadable": "cannot be read",
    "not-finite": "hold NaN or infinity in the mask",
    "unpaired": "lack the image or the mask",
    "shape-mismatch": "have a mask of another shape than the image",
    "spacing-mismatch": "have a mask with another spacing than the image",
    "orientation-mismatch": "have a mask whose axes point elsewhere than the image's",
    "bad-spacing": "have a spacing that is no number above zero",
    "too-many-axes": "have more axes than a volume",
    "mixed-dimensions": "have other axes than most: 2-D and 3-D are mixed",
    "mixed-channels": "have other channels than most",
    "unknown-label": "have a mask with far too many numbers for classes",
    "lossy-mask": "have a mask that was saved with losses",
}


def unusable(seen: SeenCases) -> tuple[Complaint, ...]:
    """What reading headers found, and what reading values did."""
    by_kind: dict[Kind, dict[str, str]] = defaultdict(dict)
    for problem in seen.dataset.problems:
        by_kind[problem.kind][problem.sample] = problem.reason
    for row in seen.where(lambda one: one.broken is not None):
        one = seen.of(row)
        by_kind[one.kind][seen.dataset.ids[row]] = one.broken or ""
    return tuple(
        Complaint(
            kind=kind,
            severity="stop",
            reason=f"{len(found):,} case(s) {WORDS.get(kind, 'cannot be used')}",
            samples=tuple(found),
            details=tuple(found.values()),
        )
        for kind, found in by_kind.items()
    )
