"""Inspections of small nets, with fields put in by hand where a test needs to know them."""

from dataclasses import replace
from fractions import Fraction

import torch
from torch import Tensor, nn

from fieldcraft.inspection.inspect import inspect
from fieldcraft.inspection.inspection import Inspection
from fieldcraft.records.anatomy import AxisField, InputField
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution

NASTY = '</script><img src=http://outside.invalid/x onerror="boom()"><!--'


class Block(nn.Module):
    """Two convolutions with a skip around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """x + f(x)."""
        return self.relu(x + self.second(self.relu(self.first(x))))


class Net(nn.Module):
    """A stem, two stages, a head."""

    def __init__(self, depth: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.body = nn.Sequential(*(Block(8) for _ in range(depth)))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        return self.head(torch.flatten(self.pool(self.body(self.stem(x))), 1))


def axis(size: int, stride: int = 1, start: int = 0) -> AxisField:
    """A field without norms, branches or bounds."""
    return AxisField(size=size, full=size, least=size, stride=Fraction(stride), start=Fraction(start), everywhere=False)


def made_up(name: str = "made up", *, depth: int = 2, remedy: str = "do better") -> Inspection:
    """Fields by hand: the stem sees 3 pixels every 2 from -1 on, all that follows 35 every 2 from -17 on."""
    seen = inspect(Net(depth), (3, 32, 32), name=name)
    stem, rest = axis(3, 2, -1), axis(35, 2, -17)
    anatomy = seen.anatomy
    rows = tuple(
        replace(row, fields=(InputField(input="x", axes=(one, one)),))
        for row in anatomy.rows
        for one in ((stem if row.module == "stem" else rest),)
    )
    return replace(seen, anatomy=replace(anatomy, rows=rows), findings=(finding(seen, remedy),))


def finding(seen: Inspection, remedy: str) -> Finding:
    """About the last convolution."""
    last = [row for row in seen.anatomy.rows if isinstance(row.operation, Convolution)][-1]
    return Finding(
        code="FC999",
        name="made-up",
        severity=Severity.WARNING,
        subject=last.module,
        message=f"{last.module} was made up",
        remedy=remedy,
        layers=(last.module,),
        rows=(last.index,),
    )
