"""The nulls: what anyone would get without a network. A network that does not beat them is not returned."""

from fieldcraft.baselines.fit import fit_baseline
from fieldcraft.baselines.fitted import Fitted
from fieldcraft.baselines.store import load, save

__all__ = ["Fitted", "fit_baseline", "load", "save"]
