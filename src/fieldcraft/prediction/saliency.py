"""Saliency maps, and whether they depend on what the network has learned.

Source: Smilkov et al. 2017, arXiv:1706.03825 (SmoothGrad); Adebayo et al. 2018, arXiv:1810.03292 (randomisation check).
"""

from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from fieldcraft.records.streams import stream_seed

DRAWS = 12
NOISE = 0.15  # of each image's range


def saliency(net: nn.Module, images: Tensor, classes: Tensor, seed: int = 0) -> npt.NDArray[np.float32]:
    """Size of the smoothed gradient of each image's class output by pixel, (n, h, w), the largest of each map being 1.

    The network is left as it was. Shape: images (n, c, h, w), classes (n,).
    """
    net = deepcopy(net).eval().requires_grad_(False)
    spread = NOISE * (images.amax(dim=(1, 2, 3), keepdim=True) - images.amin(dim=(1, 2, 3), keepdim=True))
    generator = torch.Generator().manual_seed(stream_seed(seed, "saliency"))
    total = torch.zeros_like(images)
    for _ in range(DRAWS):
        noisy = (images + spread * torch.randn(images.shape, generator=generator)).requires_grad_(True)
        chosen = net(noisy).gather(1, classes[:, None]).sum()
        total += torch.autograd.grad(chosen, noisy)[0]
    maps = total.abs().amax(dim=1)
    return (maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)).numpy()


def randomisation_similarity(
    net: nn.Module, images: Tensor, classes: Tensor, seed: int = 0
) -> tuple[float, npt.NDArray[np.float32]]:
    """Mean rank correlation of the maps with those of the same network with shuffled weights, and those maps.

    Near 0: the maps show what was learned. Near 1: they show the image (edges), whatever the network knows.
    """
    learned = saliency(net, images, classes, seed)
    random = saliency(shuffled(net, seed), images, classes, seed)
    pairs = zip(learned.reshape(len(learned), -1), random.reshape(len(random), -1), strict=True)
    values = [float(spearmanr(a, b).statistic) for a, b in pairs if a.std() > 0 and b.std() > 0]
    return (float(np.mean(values)) if values else 0.0), random


def shuffled(net: nn.Module, seed: int) -> nn.Module:
    """A copy whose weights are those of the network in random order, tensor by tensor."""
    copy = deepcopy(net)
    generator = torch.Generator().manual_seed(stream_seed(seed, "saliency", "shuffle"))
    with torch.no_grad():
        for weight in copy.parameters():
            flat = weight.reshape(-1)
            weight.copy_(flat[torch.randperm(len(flat), generator=generator)].view_as(weight))
    return copy
