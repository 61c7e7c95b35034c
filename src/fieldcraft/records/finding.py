"""A finding: something seen in a module's anatomy or during training, with its numbers and its remedy."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.records.anatomy import Location


class Severity(StrEnum):
    """How much it matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check or a watch found."""

    code: str = Field(pattern=r"^[A-Z]{2}\d{3}$")
    """Stable, such as FC012."""
    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    """What was found, such as bias-before-norm."""
    severity: Severity
    subject: str
    """The layer, the step or the sample concerned."""
    numbers: Mapping[str, float] = Field(default_factory=dict)
    """The measurements behind it, named with their units."""
    remedy: str
    """What to do."""
    message: str = ""
    """What was found, in one sentence with its numbers."""
    layers: tuple[str, ...] = ()
    """Paths of the submodules concerned; empty when it is the whole network."""
    rows: tuple[int, ...] = ()
    """Indices of the operations concerned."""
    location: Location | None = None
    """The line of someone's code to change."""
