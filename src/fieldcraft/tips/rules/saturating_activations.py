"""Three or more activations that level off follow each other as hidden activations.

Why: the slope of the sigmoid is at most 1/4, that of tanh at most 1 and near zero where units are saturated; the
gradient is multiplied by it at each layer, so that early layers hardly learn.

Example:
    nn.Sequential(nn.Linear(9, 9), nn.Sigmoid(), nn.Linear(9, 9), nn.Sigmoid(), nn.Linear(9, 9), nn.Sigmoid(), head)

Instead:
    nn.ReLU(), nn.GELU() or nn.SiLU() between hidden layers

Leave it: in gates (attention, squeeze-excitation, recurrent cells) and at the output, which are not counted here, and
where bounded or smooth units are wanted, as in networks that solve differential equations.
Rewrite: swap-activation puts another one in their place; the function changes.
Source: Glorot and Bengio 2010, AISTATS, PMLR 9:249; Glorot et al. 2011, AISTATS, PMLR 15:315.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Activation, Arithmetic, Pointwise
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import downstream, passes_on, weighted
from fieldcraft.tips.rules.maps import joins

SLOPE = {"sigmoid": 0.25, "tanh": 1.0, "softsign": 1.0, "hardsigmoid": 1 / 6}
"""Of the activations that level off, at most. (ReLU6 and hardtanh are the same operation, so neither is here.)"""
DEEP = 3


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network, when one way through it meets so many."""
    rows = [row for row in anatomy.rows if _saturates(row) and _hidden(anatomy, row)]
    deepest = _deepest(anatomy, {row.index for row in rows}) if len(rows) >= DEEP else 0
    if deepest < DEEP:
        return
    names = sorted({row.operation.name for row in rows if isinstance(row.operation, Activation)})
    most = max(SLOPE[name] for name in names) ** deepest
    shrinks = f"; their slopes together are at most {most:.1g}" if most < 1 else ""
    yield RULE.finding(
        f"{deepest} hidden activations in a row level off ({', '.join(names)}){shrinks}",
        remedy="use relu, gelu or silu between hidden layers",
        rows=rows,
        numbers={"activations": len(rows), "in_a_row": deepest, "slope": most},
    )


def _saturates(row: Row) -> bool:
    return isinstance(row.operation, Activation) and row.operation.name in SLOPE


def _hidden(anatomy: Anatomy, row: Row) -> bool:
    """It is no gate, and some layer with weights comes after it."""
    return not _gates(anatomy, row) and any(weighted(anatomy.rows[index]) for index in downstream(anatomy, row))


def _gates(anatomy: Anatomy, row: Row) -> bool:
    """What it makes is multiplied with something, directly or after scaling and reshaping."""
    waiting, seen = [row], set[int]()
    while waiting:
        for one in anatomy.after(waiting.pop()):
            if isinstance(one.operation, Arithmetic) and one.operation.name in ("mul", "lerp", "where"):
                return True
            if one.index not in seen and (passes_on(one) or isinstance(one.operation, Pointwise)):
                seen.add(one.index)
                waiting.append(one)
    return False


def _deepest(anatomy: Anatomy, hidden: set[int]) -> int:
    """Most hidden ones on one way, with additions and concatenations as new beginnings."""
    count: dict[int, int] = {}
    for row in anatomy.rows:
        reached = 0 if joins(row) else max((count.get(value, 0) for value in row.inputs), default=0)
        for value in row.outputs:
            count[value] = reached + (row.index in hidden)
    return max(count.values(), default=0)


RULE = Rule(
    code="FC016", name="saturating-activations", severity=Severity.WARNING, check=check, rewrite="swap-activation"
)
