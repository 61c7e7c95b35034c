"""The same numbers as MONAI's, where it has the measure."""

import numpy as np
import pytest

from fieldcraft.prediction.masks.overlap import confusion, dice, iou
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.surface import hd95, surface_dice, surface_distances

torch = pytest.importorskip("torch")
metrics = pytest.importorskip("monai.metrics")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:monai")


@pytest.mark.parametrize("classes", [2, 3])
def test_shares(classes):
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, classes, (2, 6, 7, 5))
    hot = [torch.nn.functional.one_hot(torch.tensor(one), classes).movedim(-1, 0)[None] for one in (predicted, truth)]
    counts = confusion(MaskPair(name="", truth=truth, predicted=predicted, spacing=(1.0, 1.0, 1.0)), classes)
    np.testing.assert_allclose(dice(counts), metrics.compute_dice(*hot)[0], rtol=1e-6)
    np.testing.assert_allclose(iou(counts), metrics.compute_iou(*hot)[0], rtol=1e-6)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.7, 1.3)])
def test_distances(spacing):
    rng = np.random.default_rng(1)
    for _ in range(5):
        truth, predicted = rng.random((2, 9, 8, 7)) > 0.7
        hot = [torch.tensor(one)[None, None] for one in (predicted, truth)]
        found = surface_distances(truth, predicted, spacing)
        theirs = metrics.compute_hausdorff_distance(*hot, include_background=True, percentile=95, spacing=spacing)
        assert hd95(found) == pytest.approx(float(theirs), rel=1e-5)
        theirs = metrics.compute_surface_dice(*hot, [0.9], include_background=True, spacing=spacing)
        assert surface_dice(found, 0.9) == pytest.approx(float(theirs), rel=1e-5)
