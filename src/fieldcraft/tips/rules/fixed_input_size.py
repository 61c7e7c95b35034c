"""The network takes inputs of one size only.

Why: a linear layer of the flattened map, or one learned vector for each position, fits a single size. Other sizes need
cropping or resizing, which distorts objects, and training in growing sizes is not possible.

Example:
    x = self.conv(x).flatten(1); return self.linear(x)

Instead:
    global or spatial pyramid pooling before the linear layer; for learned positions, interpolate the table to the map

Leave it: when all inputs have that size anyway.
Rewrite: pooled-head frees networks with a linear layer of the flattened map; the function changes.
Source: He et al. 2014, arXiv:1406.4729 (pyramid pooling); Dosovitskiy et al. 2020, arXiv:2010.11929, section 3.2.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Parameter, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Pointwise
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.flat_heads import flat_heads
from fieldcraft.tips.rules.graph import by_times


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for linear layers, one for tables of positions."""
    heads = [one for one in flat_heads(anatomy) if not one.pooled_to_size]
    if heads:
        yield RULE.finding(
            f"{named_rows([one.row for one in heads])} reads a map of exactly {by_times(heads[0].map)} positions",
            remedy="put global or spatial pyramid pooling before it",
            rows=[one.row for one in heads],
            numbers={"positions": prod(heads[0].map)},
        )
    known = {name: one for one in anatomy.parameters for name in (one.name, *one.aliases)}
    tables = [(row, table) for row in anatomy.rows if (table := _table(anatomy, row, known)) is not None]
    if tables and any(isinstance(row.operation, Convolution) for row in anatomy.rows[: tables[0][0].index]):
        table = tables[0][1]
        yield RULE.finding(
            f"{table.name} has one vector for each of {_tokens(table)} positions",
            remedy="interpolate the table to the map of the input (bicubic), or use relative or rotary positions",
            rows=[row for row, _ in tables],
            numbers={"positions": _tokens(table)},
        )


def _table(anatomy: Anatomy, row: Row, known: dict[str, Parameter]) -> Parameter | None:
    """A parameter that is added to a map or to tokens and has a vector for each position."""
    if not isinstance(row.operation, Pointwise) or row.operation.name != "add" or len(row.parameters) != 1:
        return None
    table = known.get(row.parameters[0])
    shape = anatomy.shape(row.outputs[0])
    if table is None or len(shape) < 3 or len(table.shape) < 2:
        return None
    same = table.shape[-2:] == shape[-2:] and min(shape[-2:]) > 1
    return table if same and table.count == prod(shape[1:]) else None


def _tokens(table: Parameter) -> int:
    return prod(table.shape[-2:]) if len(table.shape) > 3 else table.shape[-2]


RULE = Rule(code="FC027", name="fixed-input-size", severity=Severity.INFO, check=check, rewrite="pooled-head")
