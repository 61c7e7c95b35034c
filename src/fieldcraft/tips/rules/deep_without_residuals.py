"""More than twenty layers with weights stand in a row, and no addition or concatenation leads around any of them.

Why: with depth, plain networks become harder to train: at the same width, 34 plain layers reached a higher training
error on ImageNet than 18, batch norm and all, where the residual ones improved.

Example:
    nn.Sequential(*[block(64, 64) for _ in range(30)])

Instead:
    x = x + self.block(x)  # for every two or three layers

Leave it: with an initialisation that keeps signals alive in depth (Dirac, orthogonal), or after merging branches for
inference (RepVGG). Depthwise convolutions are not counted: one and its 1x1 convolution are one layer.
Source: He et al. 2015, arXiv:1512.03385, section 4.1.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import weighted
from fieldcraft.tips.rules.maps import joins

MOST = 20


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the longest such chain."""
    chain = longest_chain(anatomy)
    if len(chain) <= MOST:
        return
    yield RULE.finding(
        f"{len(chain)} layers with weights in a row have no addition or concatenation around any of them",
        remedy="let every two or three layers add to their input, or make the network shallower",
        rows=chain,
        numbers={"layers": len(chain)},
    )


def longest_chain(anatomy: Anatomy) -> list[Row]:
    """The longest way through weighted rows that meets no join."""
    depth: dict[int, int] = {}
    last: dict[int, Row] = {}
    before: dict[int, Row] = {}
    for row in anatomy.rows:
        deepest = max(row.inputs, key=lambda value: depth.get(value, 0), default=None)
        reached = 0 if deepest is None or joins(row) else depth.get(deepest, 0)
        latest = last.get(deepest) if deepest is not None and reached else None
        if counted(row):
            reached += 1
            if latest is not None:
                before[row.index] = latest
            latest = row
        for value in row.outputs:
            depth[value] = reached
            if latest is not None:
                last[value] = latest
    end = max(depth, key=lambda value: depth[value], default=None)
    row_at = last.get(end) if end is not None else None
    chain: list[Row] = []
    while row_at is not None:
        chain.append(row_at)
        row_at = before.get(row_at.index)
    return chain[::-1]


def counted(row: Row) -> bool:
    """It has weights and mixes channels."""
    return weighted(row) and not (isinstance(row.operation, Convolution) and row.operation.depthwise)


RULE = Rule(code="FC015", name="deep-without-residuals", severity=Severity.WARNING, check=check)
