"""What every source gives: a module that can be traced, and what is known around it."""

from dataclasses import dataclass

from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.tips.rule import Circumstances


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A module on its way to be inspected."""

    module: nn.Module
    name: str
    inputs: tuple[Input | Tensor, ...] = ()
    """What it takes, as far as the source says so; empty: the user has to say."""
    batch: int | None = None
    """Samples a batch that the source is made for; None: any."""
    circumstances: Circumstances = Circumstances()  # noqa: RUF009  (frozen)
    notes: tuple[str, ...] = ()
    """What a person should know of how it was opened."""
