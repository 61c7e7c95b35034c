"""Gradients shrink on their way to the first layers.

Why: each layer multiplies the gradient by its slope and its weights. Where both are below one, the first layers learn
many thousand times more slowly than the last ones, and the network trains as if it were only its end.

Instead: rectifiers in the place of sigmoid and tanh, He's initialisation, a norm after each convolution or linear map,
residual connections from about ten layers on.

Leave it: where first layers are frozen or come trained. Ratios are of medians over all steps that were looked at.
Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", AISTATS;
He et al. 2016, arXiv:1512.03385.
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import by_layer

LEAST_LAYERS = 3
LOST = 1e-4
"""Relative gradient of a layer over that of the largest after it, below which it hardly takes part."""


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding for all layers that hardly get a gradient though later ones do."""
    gradients = by_layer(record, lambda layer: layer.gradient)
    if len(gradients) < LEAST_LAYERS:
        return
    names, values = list(gradients), list(gradients.values())
    ratios = {
        name: values[place] / largest
        for place, name in enumerate(names[:-1])
        if (largest := max(values[place + 1 :])) > 0
    }
    lost = [name for name, ratio in ratios.items() if ratio < LOST]
    if lost:
        least = min(ratios[name] for name in lost)
        yield WATCH.finding(
            record,
            f"the gradient of {len(lost)} of {len(names)} layers is {least:.1g} times that of the layers after them, "
            "relative to the weights",
            remedy="rectifiers instead of sigmoid or tanh, He's initialisation, norms, residual connections",
            layers=lost,
            numbers={"least_ratio": least, "layers": len(lost)},
        )


WATCH = Watch(code="FC101", name="vanishing-gradients", severity=Severity.ERROR, see=see)
