"""What the check hand of a tip is: a rule with a stable code that looks at any module's anatomy."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fieldcraft.records.anatomy import Anatomy, Location, Row
from fieldcraft.records.finding import Finding, Severity


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What is known around a module: from the user, a plan, or the facts of some data. None: not known."""

    loss: str | None = None
    """What the loss contains: cross-entropy, bce-with-logits, nll, bce, mse, ..."""
    batch: int | None = None
    """Samples in a training step on one device."""
    objects_px: tuple[float, ...] | None = None
    """Extent of the objects in the data along each spatial axis, in pixels."""
    device: Literal["cpu", "cuda"] | None = None
    """Where the network is to run."""


HEADINGS = ("Why", "Example", "Instead", "Leave it", "Rewrite", "Source")
"""Of a rule's page, after its first line; `Rewrite` where there is one."""
Check = Callable[[Anatomy, Circumstances], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One kind of finding. Its module's docstring is its page."""

    code: str
    """Stable: FC001."""
    name: str
    """What is found: bias-before-norm."""
    severity: Severity
    """The highest that it gives."""
    check: Check
    rewrite: str | None = None
    """Name of the rewrite that mends it."""
    needs_weights: bool = False
    """Finds nothing in a module without values."""

    @property
    def card(self) -> str:
        """What it finds, why it matters, an example, what to do instead, when to leave it, its source."""
        module = inspect.getmodule(self.check)
        return inspect.cleandoc((module.__doc__ if module else None) or "")

    def finding(
        self,
        message: str,
        *,
        remedy: str,
        rows: Sequence[Row] = (),
        layers: Sequence[str] | None = None,
        numbers: Mapping[str, float] | None = None,
        severity: Severity | None = None,
        location: Location | None = None,
    ) -> Finding:
        """What was found in some rows: their modules are the layers, the line of the first one is the location."""
        concerned = tuple(dict.fromkeys(row.module for row in rows) if layers is None else layers)
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            subject=named_rows(rows) if layers is None else named(concerned),
            numbers=numbers or {},
            remedy=remedy,
            message=message,
            layers=concerned,
            rows=tuple(row.index for row in rows),
            location=location or (rows[0].location if rows else None),
        )


def named_rows(rows: Sequence[Row]) -> str:
    """The submodules of some rows in words, with the class where the path ends in a number: `features.0 (Conv2d)`."""
    return named(tuple(dict.fromkeys(_label(row) for row in rows)))


def _label(row: Row) -> str:
    if not row.module:
        return row.kind
    return f"{row.module} ({row.kind})" if row.module.rpartition(".")[2].isdecimal() else row.module


def named(layers: Sequence[str], most: int = 3) -> str:
    """Some paths of submodules in words: `conv1, conv2, conv3 and 13 more`."""
    shown = [path or "the network" for path in layers]
    if not shown:
        return "the network"
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most} more"
    return " and ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else shown[0]
