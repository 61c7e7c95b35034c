"""From the plan's clipping to what a loop calls before each optimiser step."""

from typing import assert_never

from torch import nn

from fieldcraft.nn.clipping import Clip, NormClip, PercentileClip, UnitClip, without_last_linear
from fieldcraft.plan import schema


def build_clipping(module: nn.Module, clipping: schema.Clipping) -> Clip | None:
    """Over the weights that learn, which must be on their device already; None when gradients stay as they are."""
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    match clipping:
        case schema.NoClipping():
            return None
        case schema.ClipNorm():
            return NormClip(weights, clipping.most)
        case schema.AutoClip():
            return PercentileClip(weights, clipping.percentile, clipping.window)
        case schema.AdaptiveClip():
            return UnitClip(without_last_linear(module), clipping.share, clipping.eps)
        case _:
            assert_never(clipping)
