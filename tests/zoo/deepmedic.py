"""DeepMedic: one pathway on the voxels, one on every third, for a local and a wide view of a volume.

Eight VALID convolutions of 3^3 see 17 voxels; on a map three times coarser they see 51.

Source: Kamnitsas et al. 2017, Medical Image Analysis 36, arXiv:1603.05959, figure 5 and section 2.4. The paper cuts
the coarse patch from the image itself; here one input serves both, and the fine pathway is cropped to the coarse one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DEPTHS = (30, 30, 40, 40, 40, 40, 50, 50)
FACTOR = 3
SMALLEST = 51


def pathway(before: int, width: float) -> tuple[nn.Sequential, int]:
    """Eight convolutions without pads, and the channels behind them."""
    steps: list[nn.Module] = []
    for depth in DEPTHS:
        after = max(1, int(depth * width))
        steps += [nn.Conv3d(before, after, 3, bias=False), nn.BatchNorm3d(after), nn.PReLU(after)]
        before = after
    return nn.Sequential(*steps), before


class DeepMedic(nn.Module):
    """(n, c, 3m, 3m, 3m) -> (n, classes, 3m - 48, ...); m is at least 17."""

    def __init__(self, channels: int = 1, classes: int = 2, width: float = 1.0) -> None:
        super().__init__()
        self.normal, after = pathway(channels, width)
        self.shrink = nn.AvgPool3d(FACTOR)
        self.low, _ = pathway(channels, width)
        hidden = max(1, int(150 * width))
        self.join = nn.Sequential(nn.Conv3d(2 * after, hidden, 1), nn.PReLU(), nn.Conv3d(hidden, hidden, 1), nn.PReLU())
        self.head = nn.Conv3d(hidden, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        low = F.interpolate(self.low(self.shrink(x)), scale_factor=FACTOR, mode="nearest")
        near = self.normal(x)
        edge = [(a - b) // 2 for a, b in zip(near.shape[2:], low.shape[2:], strict=True)]
        (z, y, x0), (depth, high, wide) = edge, low.shape[2:]
        near = near[:, :, z : z + depth, y : y + high, x0 : x0 + wide]
        return self.head(self.join(torch.cat([near, low], dim=1)))
