"""The prior: what the evidence on file says of each tip, as a draft reads it."""

from collections.abc import Mapping
from typing import Literal

from pydantic.dataclasses import dataclass

Kind = Literal["image", "table", "cases"]
Family = Literal["accuracy", "auroc", "r2", "log-loss", "error", "dice", "iou"]
"""Metrics that can be pooled with each other; see `FAMILIES`."""
FAMILIES: Mapping[str, Family] = {
    "accuracy": "accuracy",
    "balanced-accuracy": "accuracy",
    "f1": "accuracy",
    "auroc": "auroc",
    "r2": "r2",
    "log-loss": "log-loss",
    "rmse": "error",
    "mae": "error",
    "dice": "dice",
    "iou": "iou",
}
"""Shares of right answers go together, in points. So do typical errors, as a relative change: their units differ from
set to set. Everything else is pooled with its own kind alone. Metrics of one's own are filed but never pooled, nor are
measures at the boundaries of masks, which depend on the size of a voxel."""
Standing = Literal["open", "no default", "left out"]
"""Nothing speaks against it; it did nothing that matters, or hurt, on most sets; its pooled effect is below zero."""


@dataclass(frozen=True, kw_only=True)
class TipPrior:
    """What is known of one tip, from samples of one kind and metrics of one family."""

    tip: str
    kind: Kind
    family: Family
    sets: int
    """Data sets whose effect could be pooled."""
    value: float | None
    """Pooled effect, better is positive: a difference of the metric, or for errors the share by which they shrink.
    None where no set could be pooled."""
    low: float | None
    high: float | None
    """95 % interval; None with fewer than five sets."""
    spread: float | None
    """Standard deviation of the effect between sets (tau); None with fewer than two sets."""
    paid: int
    hurt: int
    nothing: int
    """Sets with each verdict; the others could not be told."""
    standing: Standing
    because: str
    """The same in words."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What the evidence says of all tips that it knows."""

    digest: str = ""
    """Of the lines that were read; empty where there were none, or evidence was turned off."""
    tips: tuple[TipPrior, ...] = ()

    def of(self, tip: str, kind: Kind, metric: object) -> TipPrior | None:
        """What is known of a tip for samples of a kind, by the metric that counts; None where nothing is."""
        family = FAMILIES.get(metric) if isinstance(metric, str) else None
        return next((one for one in self.tips if (one.tip, one.kind, one.family) == (tip, kind, family)), None)
