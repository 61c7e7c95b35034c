"""What a rewrite is: one change of a network, made on a copy, marked safe or unsafe."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from fieldcraft.records.anatomy import Anatomy


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings that some rewrites take."""

    output_stride: int = 8
    """Of stride-to-dilation."""
    activation: str = "relu"
    """Of swap-activation."""
    only: tuple[str, ...] = ()
    """Paths of the submodules to change; empty: all that fit."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that was changed."""

    path: str
    """Of the submodule."""
    what: str
    """In words with numbers."""


Apply = Callable[[nn.Module, Anatomy, Options], tuple[Change, ...]]
"""Changes the module that it is given (a copy) and says what it changed; nothing changed gives ()."""


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
    apply: Apply

    @property
    def card(self) -> str:
        """What it does, whether the function changes, what happens to the weights."""
        module = inspect.getmodule(self.apply)
        return inspect.cleandoc((module.__doc__ if module else None) or "")
