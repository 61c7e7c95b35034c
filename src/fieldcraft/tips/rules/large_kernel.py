"""A large dense kernel costs more than a stack of small ones that sees the same.

Why: two 3x3 steps see the 5x5 px of one larger one with 18 instead of 25 weights for a pair of channels, three see 7x7
with 27 instead of 49, and there are activations between them. In three dimensions two 3x3x3 steps take 54 weights where
5x5x5 takes 125, three take 81 where 7x7x7 takes 343.

Example:
    self.conv = nn.Conv3d(32, 32, 5, padding=2)

Instead:
    self.conv = nn.Sequential(
        nn.Conv3d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv3d(32, 32, 3, padding=1)
    )

Leave it: on the raw input (few channels), with a stride, and depthwise (ConvNeXt), where a large kernel is cheap.
Rewrite: stack-kernels fits the weights of the stack to the large kernel by least squares; the function changes.
Source: Simonyan and Zisserman 2014, arXiv:1409.1556, section 2.3.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import by_line, by_times

SMALL = 3
WORTH = 0.75
"""A stack of more than this share of the weights is not worth a word."""
SEVERE = 0.5
LEAST_SHARE = 0.01
"""Of all parameters; less is not worth a word either."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that such convolutions were called on; a warning where a stack takes half or less."""
    for rows in by_line(row for row in anatomy.rows if _large(row)):
        own = {row.parameters: row.operation for row in rows if isinstance(row.operation, Convolution)}
        now, then = sum(map(weights, own.values())), sum(map(stack_weights, own.values()))
        if now < LEAST_SHARE * anatomy.parameter_count:
            continue
        largest = max(own.values(), key=lambda conv: prod(conv.kernel))
        steps, small = len(_stack(largest.kernel)), by_times((SMALL,) * len(largest.kernel))
        yield RULE.finding(
            f"{named_rows(rows)}: {by_times(largest.kernel)} kernels take {now:,} weights; {steps} steps of "
            f"{small} see "
            f"the same with {then:,}, {1 - then / now:.0%} less",
            remedy=f"stack {small} convolutions with an activation between each two",
            rows=rows,
            numbers={"weights": now, "weights_of_stack": then, "saving": 1 - then / now},
            severity=Severity.WARNING if then <= SEVERE * now else Severity.INFO,
        )


def weights(conv: Convolution) -> int:
    """Of a dense convolution, without its bias."""
    return prod(conv.kernel) * conv.inputs * conv.outputs


def stack_weights(conv: Convolution) -> int:
    """Of the stack that sees the same: the first step changes the channels, the others keep them."""
    first, *others = _stack(conv.kernel)
    return prod(first) * conv.inputs * conv.outputs + sum(prod(one) for one in others) * conv.outputs**2


def _stack(kernel: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Kernels of the steps: three wide along each axis until that axis is covered."""
    left = kernel
    steps: list[tuple[int, ...]] = []
    while any(size > 1 for size in left) or not steps:
        step = tuple(min(SMALL, size) for size in left)
        steps.append(step)
        left = tuple(size - taken + 1 for size, taken in zip(left, step, strict=True))
    return steps


def _large(row: Row) -> bool:
    conv = row.operation
    if not isinstance(conv, Convolution) or conv.transposed or conv.groups > 1 or not row.inputs:
        return False
    if max(conv.stride) > 1 or max(conv.kernel) <= SMALL:
        return False
    return stack_weights(conv) <= WORTH * weights(conv)


RULE = Rule(code="FC008", name="large-kernel", severity=Severity.WARNING, check=check, rewrite="stack-kernels")
