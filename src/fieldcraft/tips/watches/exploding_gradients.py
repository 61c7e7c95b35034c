"""Gradients that are many times as large as the weights.

Why: where slopes and weights multiply to far more than one from layer to layer, a gradient grows on its way back. A
step at any usual rate then throws the weights away.

Instead: norms after each weighted layer, smaller initial weights (He's scale), clipping of the gradient's norm,
residual branches that start at zero; targets and inputs of unit scale.

Leave it: where the loss falls and updates stay small, as optimisers that scale each weight by itself make up for it.
Source: Pascanu et al. 2013, arXiv:1211.5063.
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import by_layer

LARGE = 100.0
"""Norm of the gradient over the norm of the weights, in the median over the looks; good training has 0.001 to 1."""


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding for all layers whose gradients dwarf them."""
    gradients = by_layer(record, lambda layer: layer.gradient)
    large = [name for name, value in gradients.items() if value > LARGE]
    if large:
        most = max(gradients[name] for name in large)
        yield WATCH.finding(
            record,
            f"gradients of {len(large)} of {len(gradients)} layers are up to {most:.2g} times as large as the weights",
            remedy="norms, He's initialisation, gradient clipping, targets and inputs of unit scale",
            layers=large,
            numbers={"largest_ratio": most, "layers": len(large)},
        )


WATCH = Watch(code="FC102", name="exploding-gradients", severity=Severity.ERROR, see=see)
