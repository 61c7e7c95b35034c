"""A network that was taken over: its body, with a fresh head for another task."""

import torch
from torch import Tensor, nn

from fieldcraft.nn.linear_probe import LinearProbe

BatchNorm = nn.modules.batchnorm._BatchNorm
TOTAL_VARIANCE = 64.0
"""Of all features that a fitted head sees."""
AT_ONCE = 32
"""Images that pass at once where no gradient is wanted."""
HOLDS_NEARLY_ALL = 0.9
"""Share of the weights from which on a module is a wrapper, and its children are the parts."""


class Transferred(nn.Module):
    """The view that the body's weights want, the body, pooling where it gives maps, dropout, a fresh linear map.

    A head that was fitted by `linear_probe` sees standardised features, which `start_from` sets up.

    Batch norms of the body are part of what was learnt elsewhere. While their scale is frozen they keep their
    statistics; once it learns, `adapt_statistics` says whether the statistics follow the new images as well.

    Shape: as `view` takes it -> (n, outputs). A body may give (n, features), maps (n, features, h, w), or tokens
    (n, tokens, features), which are averaged.
    """

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(
        self, view: nn.Module, body: nn.Module, features: int, outputs: int, *, dropout: float = 0.0,
        adapt_statistics: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.view, self.body = view, body
        self.adapt_statistics = adapt_statistics
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("feature_mean", torch.zeros(features))
        self.register_buffer("feature_scale", torch.ones(features))
        self.head = nn.Linear(features, outputs)
        self.train()

    @torch.no_grad()
    def start_from(self, probe: LinearProbe) -> None:
        """Give the head the map that was fitted to the features, and standardise them before it from now on.

        All features together get the same variance, whatever their number, so that one rate suits every body.
        """
        gain = (TOTAL_VARIANCE / len(probe.mean)) ** 0.5
        self.feature_mean.copy_(probe.mean)
        self.feature_scale.copy_(gain / probe.scale)
        self.head.weight.copy_(probe.weight / gain)
        self.head.bias.copy_(probe.bias)

    def train(self, mode: bool = True) -> "Transferred":
        """Training mode for everything but batch norms that keep their statistics."""
        super().train(mode)
        for part in self.body.modules():
            if isinstance(part, BatchNorm):
                part.train(mode and self.adapt_statistics and learns(part))
        return self

    def features(self, x: Tensor) -> Tensor:
        """What the body tells of each image, (n, features).

        Where nothing is learnt few images pass at once, whatever the batch: they may be large inside.
        """
        if torch.is_grad_enabled() or len(x) <= AT_ONCE:
            return pooled(self.body(self.view(x)))
        return torch.cat([pooled(self.body(self.view(part))) for part in torch.split(x, AT_ONCE)])

    def forward(self, x: Tensor) -> Tensor:
        """Map images to outputs."""
        standard = (self.features(x) - self.feature_mean) * self.feature_scale
        found: Tensor = self.head(self.dropout(standard))
        return found


def pooled(found: Tensor) -> Tensor:
    """Maps (n, c, h, w) and tokens (n, t, c) as one vector (n, c) each; vectors stay."""
    if found.ndim == 4:
        return found.mean(dim=(2, 3))
    return found.mean(dim=1) if found.ndim == 3 else found


def learns(part: nn.Module) -> bool:
    """Whether a module has weights of its own that learn; one without weights counts as learning."""
    own = list(part.parameters(recurse=False))
    return not own or any(weight.requires_grad for weight in own)


def parts(body: nn.Module) -> tuple[tuple[nn.Parameter, ...], ...]:
    """The body's weights from input to output, by the modules that follow each other.

    Parts are the children in the order in which they were made; a child that holds nearly all weights is looked into.
    Weights outside of any part (tokens, positions) go with the first.
    """
    modules = followed(body)
    inside = [tuple(module.parameters()) for module in modules]
    filled = [weights for weights in inside if weights]
    known = {id(weight) for weights in filled for weight in weights}
    loose = tuple(weight for weight in body.parameters() if id(weight) not in known)
    if not filled:
        return (loose,) if loose else ()
    return ((*loose, *filled[0]), *filled[1:])


def followed(body: nn.Module) -> list[nn.Module]:
    """The body's children in the order in which they were made; one that holds nearly all weights is looked into."""
    whole = sum(weight.numel() for weight in body.parameters())
    found: list[nn.Module] = []
    for child in body.children():
        size = sum(weight.numel() for weight in child.parameters())
        wraps = size > HOLDS_NEARLY_ALL * whole and len(list(child.children())) > 0
        found += followed(child) if wraps else [child]
    return found
