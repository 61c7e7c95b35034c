"""From the plan's regime to the value that does its step."""

from collections.abc import Callable

from torch import Tensor

from fieldcraft.plan import schema
from fieldcraft.regimes.interface import Regime
from fieldcraft.regimes.supervised import Supervised


def build_regime(regime: schema.Supervised, loss: Callable[[Tensor, Tensor], Tensor]) -> Regime:
    """The regime with the plan's loss inside."""
    match regime:
        case schema.Supervised():
            return Supervised(loss)
