"""What a rewrite is: one change of a network, made on a copy, marked safe or unsafe."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from fieldcraft.records.anatomy import Anatomy


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings that some rewrites take."""

    output_stride: int = 8
    """Of stride-to-dilation."""
    activation: str = "relu"
    """Of swap-activation."""
    head: Literal["average", "pyramid"] = "average"
    """Of pooled-head."""
    only: tuple[str, ...] = ()
    """Paths of the submodules to change; empty: all that fit."""

    def wanted(self, path: str) -> bool:
        """The submodule may be changed."""
        return not self.only or path in self.only


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that was changed, or that was left as it was."""

    path: str
    """Of the submodule."""
    what: str
    """In words with numbers; why, where it was left."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one rewrite did."""

    changes: tuple[Change, ...]
    left: tuple[Change, ...] = ()
    """What looked like it would fit and was left, with the reason."""


Apply = Callable[[nn.Module, Anatomy, Options], Outcome]
"""Changes the module that it is given (a copy). Raises: InspectError when it can only be done as a whole and cannot."""


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """One kind of change. Its module's docstring is its page."""

    name: str
    """drop-bias, fold-norm, ..."""
    codes: tuple[str, ...]
    """Findings that it mends."""
    safe: bool
    """The function stays the same, to rounding."""
    training_too: bool
    """Also in training mode (safe ones)."""
    looks_for: str
    """What must be there for it to fit."""
    apply: Apply

    @property
    def card(self) -> str:
        """What it does, whether the function changes, what happens to the weights."""
        module = inspect.getmodule(self.apply)
        return inspect.cleandoc((module.__doc__ if module else None) or "")
