"""The boundary of one class of one case, measured three ways."""

from dataclasses import dataclass
from functools import cached_property

from fieldcraft.prediction.masks.boundary import boundary_iou, rim_width
from fieldcraft.prediction.masks.pair import Mask, MaskPair
from fieldcraft.prediction.masks.surface import SurfaceDistances, hd95, surface_dice, surface_distances
from fieldcraft.records.masks import ScoreSettings

DEFAULT = ScoreSettings()


@dataclass(frozen=True, eq=False)
class ClassBoundary:
    """What is not asked for is not worked out; all are NaN where the class is neither in truth nor in prediction."""

    pair: MaskPair
    class_id: int
    settings: ScoreSettings = DEFAULT

    @property
    def hd95_mm(self) -> float:
        """The 95th percentile of the Hausdorff distance."""
        return hd95(self._distances)

    @property
    def surface_dice(self) -> float:
        """Share of both surfaces within the tolerance of the other."""
        return surface_dice(self._distances, self.settings.tolerance_mm or max(self.pair.spacing))

    @property
    def boundary_iou(self) -> float:
        """IoU of the rims alone."""
        truth, predicted = self._masks
        spacing = self.pair.spacing
        return boundary_iou(truth, predicted, self.settings.boundary_mm or rim_width(truth.shape, spacing), spacing)

    @cached_property
    def _masks(self) -> tuple[Mask, Mask]:
        return self.pair.masks(self.class_id)

    @cached_property
    def _distances(self) -> SurfaceDistances:
        return surface_distances(*self._masks, self.pair.spacing)
