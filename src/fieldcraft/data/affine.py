"""Images rotated, scaled, shifted and mirrored about their centre, sampled between pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor


def matrices(
    angle: Tensor, larger: Tensor, flip_x: Tensor, flip_y: Tensor, dy: Tensor, dx: Tensor, height: int, width: int
) -> Tensor:
    """(n, 2, 3): from places in the result, pixels from the centre, to places in the source, ends at -1 and 1.

    All float32 (n,): angle in radians, factor of size, -1 or 1 for each axis, shift in pixels of the result.
    """
    cosine, sine = angle.cos() / larger, angle.sin() / larger
    to_x = torch.stack([cosine * flip_x, -sine * flip_y, cosine * dx - sine * dy], 1) * (2 / max(width - 1, 1))
    to_y = torch.stack([sine * flip_x, cosine * flip_y, sine * dx + cosine * dy], 1) * (2 / max(height - 1, 1))
    return torch.stack([to_x, to_y], 1)


def sampled(images: Tensor, places: Tensor) -> Tensor:
    """Each image through its own matrix, bilinear, reflected at the border.

    Shape: float32 (n, h, w, c), (n, 2, 3) as from `matrices` -> float32 (n, h, w, c).
    """
    count, height, width, _ = images.shape
    x, y = (torch.arange(size, device=images.device) - (size - 1) / 2 for size in (width, height))
    grid = torch.stack(
        [x.expand(height, width), y[:, None].expand(height, width), torch.ones_like(x).expand(height, width)]
    )
    at = (places @ grid.view(3, height * width)).transpose(1, 2).reshape(count, height, width, 2)
    planes = images.permute(0, 3, 1, 2).contiguous()
    found = F.grid_sample(planes, at, mode="bilinear", padding_mode="reflection", align_corners=True)
    return found.permute(0, 2, 3, 1)
