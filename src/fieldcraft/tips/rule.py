"""What the check hand of a tip is: a rule with a stable code that looks at any module's anatomy."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from fieldcraft.records.anatomy import Anatomy
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
