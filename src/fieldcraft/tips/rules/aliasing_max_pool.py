"""A max-pool with a stride drops pixels without smoothing, so that a shift of the input changes the result.

Why: taking every second maximum samples below the rate that the map needs; shifted by one pixel, an image can get other
features, and another class. In Zhang's experiments on ImageNet a blur between the maximum and the stride made nets
steadier under shifts, and more accurate.

Example:
    self.pool = nn.MaxPool2d(3, stride=2, padding=1)

Instead:
    self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), Blur(stride=2))

Leave it: mostly. Nearly every good net has such a pool; it matters when results must not jump from frame to frame.
Rewrite: blur-pool puts a binomial blur between the maximum and the stride; the function changes.
Source: Zhang 2019, "Making convolutional networks shift-invariant again", arXiv:1904.11486.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Pool
from fieldcraft.tips.rule import Circumstances, Rule, named_rows


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    rows = [row for row in anatomy.rows if _strided(row)]
    if rows:
        one = len(rows) == 1
        yield RULE.finding(
            f"{named_rows(rows)} {'drops' if one else 'drop'} pixels of a maximum without smoothing: {len(rows)} "
            f"max-pool{'' if one else 's'} with a stride",
            remedy="where results must not change when the input moves by a pixel, blur before the stride",
            rows=rows,
            numbers={"pools": len(rows)},
        )


def _strided(row: Row) -> bool:
    pool = row.operation
    return isinstance(pool, Pool) and pool.kind == "max" and max(pool.stride) > 1


RULE = Rule(code="FC021", name="aliasing-max-pool", severity=Severity.INFO, check=check, rewrite="blur-pool")
