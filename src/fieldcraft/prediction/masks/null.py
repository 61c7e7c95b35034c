"""What boosted trees over filters say of whole cases."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.baselines.voxel_features import voxel_features
from fieldcraft.data.intensities import Scaling
from fieldcraft.prediction.masks.ask import Logits

LEAST = 1e-7


def boosted_logits(trees: Fitted, image: npt.NDArray[np.generic], scaling: Scaling, spacing: Sequence[float]) -> Logits:
    """Logarithms of the trees' probabilities: (channels, *spatial) in stored units -> (classes, *spatial)."""
    found = voxel_features(scaling(np.array(image, np.float32)), spacing)
    shares = trees.scores(np.ascontiguousarray(found.reshape(len(found), -1).T))
    logits: Logits = np.log(shares.clip(LEAST, 1.0)).T.reshape(trees.outputs, *image.shape[1:]).astype(np.float32)
    return logits
