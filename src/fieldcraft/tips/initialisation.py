"""Initialisation: weights that keep the size of signals, blocks that start as identity, first filters from the images.

Helps: He's scale keeps the variance through rectifiers; residual branches that start at zero make a deep network begin
as a shallow one; filters that whiten image patches give the first layer from the data instead of learning it.
Hurts: whitening filters from few or tiny images follow their noise: they need at least 1,000 images of 16 px.
Cost: one eigenvalue decomposition of a few thousand patches, well under a second.
Source: He et al. 2015, arXiv:1502.01852; Goyal et al. 2017, arXiv:1706.02677, section 5.1 (zero residual);
Jordan 2024, arXiv:2404.00498, section 3.2 (whitening).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, ImageInput, Initialisation, Mlp, Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rules import dead_relu_risk
from fieldcraft.tips.rungs import convolutional
from fieldcraft.tips.watches import exploding_gradients, vanishing_gradients

WHITEN_FROM_PX, WHITEN_FROM_TRAIN = 16, 1_000
RECTIFIERS = ("relu", "leaky-relu", "gelu", "silu")


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """He's scale for rectifiers, zero residual branches, whitening where the images carry it."""
    networks = [rung.network for rung in plan.ladder.rungs]
    if not any(isinstance(network, Cnn | ResNet | Mlp) for network in networks):
        return Skipped(because="no network of the ladder has hidden layers that could be initialised")
    rectified = all(_activation(network) in RECTIFIERS for network in networks if _activation(network))
    residual = any(_has_branches(network) for network in networks)
    whiten, images = _whitening(brief, plan)
    chosen = Initialisation(kind="he" if rectified else "xavier", zero_residual=residual, whiten=whiten)
    scale = "He's scale for rectifiers" if rectified else "Glorot's scale for activations that level off"
    reasons = [scale, *(["residual branches start at zero"] if residual else []), *([images] if images else [])]
    return Applied(plan=replace(plan, initialisation=chosen), because="; ".join(reasons))


def _activation(network: Network) -> str | None:
    return network.activation if isinstance(network, Cnn | ResNet | Mlp) else None


def _has_branches(network: Network) -> bool:
    if isinstance(network, ResNet):
        return sum(network.depths) > 0
    return isinstance(network, Mlp) and network.residual


def _whitening(brief: Brief, plan: Plan) -> tuple[bool, str]:
    if not convolutional(plan) or not isinstance(plan.input, ImageInput):
        return False, ""
    side_px, train = min(plan.input.height, plan.input.width), brief.data.train
    found = f"{train:,} images of {side_px} px"
    if side_px >= WHITEN_FROM_PX and train >= WHITEN_FROM_TRAIN:
        return True, f"{found} are enough to whiten patches"
    return False, f"{found} are too few or too small to whiten patches"


TIP = Tip(
    name="initialisation",
    decide=decide,
    checks=(dead_relu_risk.RULE,),
    watches=(
        vanishing_gradients.WATCH,
        exploding_gradients.WATCH,
    ),
)
