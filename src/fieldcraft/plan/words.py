"""Words that every part of the plan shares: shares, widths, norms, activations, one's own parts."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")

Share = Annotated[float, Field(ge=0, le=1)]
Target = Annotated[
    str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$", description="text such as package.module:name")
]
"""Where one's own part is found, as `package.module:name`."""
Evening = Literal["none", "square-root", "balanced"]
"""How far an imbalance is evened out: not at all, to the square root of its ratios, or wholly."""
Norm = Literal["batch", "group", "layer", "instance", "none"]
Activation = Literal["relu", "leaky-relu", "gelu", "silu", "tanh", "sigmoid", "identity"]
Width = Annotated[int, Field(ge=1, le=65536)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Imported:
    """One's own part. What it is called with stands in docs/how-to/own-parts.md."""

    kind: Literal["import"] = "import"
    target: Target


def check_channels(order: str, mean: Sequence[float], std: Sequence[float]) -> None:
    """What the weights of a file want of each channel. Raises: ValueError when numbers are missing or too many."""
    wanted = 1 if order == "gray" else 3
    if (len(mean), len(std)) != (wanted, wanted):
        raise ValueError(f"`mean` and `std` must have {wanted} number(s) for order {order}")
