"""Training images from which a first layer finds its whitening filters."""

import torch

from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.verbs.samples import Samples

PATCH_SAMPLES, PATCH_PIXELS = 2_000, 2_000_000


def first_patches(samples: Samples, plan: Plan) -> torch.Tensor | None:
    """Training images from which whitening filters are found, normalised, (n, channels, height, width); or None."""
    if not plan.initialisation.whiten or not isinstance(plan.input, ImageInput) or samples.pixels is None:
        return None
    train = samples.parts.train
    most = max(1, min(PATCH_SAMPLES, PATCH_PIXELS // (plan.input.height * plan.input.width)))
    rows = train[:: max(1, len(train) // most)]
    pixels = torch.from_numpy(samples.pixels[rows].astype("float32"))
    mean, std = torch.tensor(samples.mean), torch.tensor(samples.std)
    return ((pixels - mean) / std).permute(0, 3, 1, 2).contiguous()
