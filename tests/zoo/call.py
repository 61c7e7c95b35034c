"""A call of a torch function, and what is known about its arguments."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

Args = tuple[Any, ...]
Kwargs = dict[str, Any]
Handler = Callable[["Call"], Any]

MASKED = -50.0
"""A constant that is zero here and below this there is a mask on scores (Swin adds -100, others -inf)."""
HIDDEN = -1e30
"""Scores below this are masked out of a softmax."""
NOTHING = 1e-300
"""Smaller values are zeros of the structure, such as a masked weight: with positive inputs all others are larger."""


class Call:
    """One call of a torch function."""

    def __init__(self, function: Callable[..., Any], args: Args, kwargs: Kwargs, *, local: bool) -> None:
        self.function, self.args, self.kwargs, self.local = function, args, kwargs, local
        raw = getattr(function, "__name__", "")
        self.dunder = raw.startswith("__")
        bare = raw.strip("_")
        self.inplace = kwargs.get("inplace") is True or (raw.endswith("_") and not self.dunder)
        if self.dunder and bare.startswith("i") and bare[1:] in IN_PLACE_OPERATORS:
            bare, self.inplace = bare[1:], True
        self.name = bare

    def original(self) -> Any:
        return self.function(*self.args, **self.kwargs)

    def get(self, position: int, name: str, default: Any = None) -> Any:
        """An argument by position or by name."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)

    def shape_of_original(self) -> Any:
        """What the original would give for these values, cut off from the gradient."""
        args, kwargs = tree_map(lambda a: a.detach() if isinstance(a, Tensor) else a, (self.args, self.kwargs))
        kwargs = {key: value for key, value in kwargs.items() if key != "inplace"}
        with torch.no_grad():
            return self.function(*args, **kwargs)


IN_PLACE_OPERATORS = ("add", "sub", "mul", "truediv", "div", "pow", "floordiv")


def active(value: Any) -> bool:
    """Does it depend on the input? (Weights are frozen.)"""
    return isinstance(value, Tensor) and value.requires_grad


def positive(value: Any) -> Any:
    """A constant without its sign; zeros stay, they cut the influence."""
    if isinstance(value, Tensor) and not value.requires_grad and value.is_floating_point():
        return value.abs()
    return abs(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
