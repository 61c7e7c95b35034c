"""Nets that are hard to trace or have an odd geometry; each is small, `ODD` lists them with their input shapes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Shape = tuple[int, ...]


class Reused(nn.Module):
    """One convolution, three times: 7 px."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 1)
        self.conv = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for _ in range(3):
            x = F.relu(self.conv(x))
        return x


class Functional(nn.Module):
    """No submodules, only parameters and functions: 3 px, then a pool of 2 (4 px, stride 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 1, 3, 3))
        self.bias = nn.Parameter(torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(torch.relu(F.conv2d(x, self.weight, self.bias, padding=1)), 2)


class InPlace(nn.Module):
    """Writes through views: row 0 gets what row 3 was, everything is rectified in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x.relu_()
        x = x + 0.5  # a map of its own: the gradient of relu_ needs the one above
        x[:, :, 0].add_(x[:, :, 3])
        flat = x.view(x.shape[0], 2, -1)
        flat.mul_(0.5)
        x += 1
        return x


class ViewChain(nn.Module):
    """Adds a map to a view of itself, shifted by two columns; earlier views must see it."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone()
        early = x[..., 2:]
        x[..., 2:].add_(x[..., :-2].clone())
        return early * 1


class Branched(nn.Module):
    """3x3, 5x5 and a strided-then-resized branch; the skip is untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.small = nn.Conv2d(1, 1, 3, padding=1)
        self.large = nn.Conv2d(1, 1, 5, padding=2)
        self.coarse = nn.Conv2d(1, 1, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        coarse = F.interpolate(self.coarse(x), size=x.shape[-2:], mode="nearest")
        return torch.cat([x, self.small(x) + self.large(x), coarse], dim=1)


class DictOut(nn.Module):
    """A dict of tensors and a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.deep = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x: Tensor) -> dict[str, Any]:
        near = self.conv(x)
        return {"near": near, "both": (near, self.deep(near)), "mean": near.mean((2, 3))}


class TupleOut(nn.Module):
    """Two maps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x)
        return x, F.avg_pool2d(x, 2)


class TwoInputs(nn.Module):
    """An image seen with 3 px and a guide seen with 5."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Conv2d(1, 2, 3, padding=1)
        self.guide = nn.Conv2d(1, 2, 5, padding=2)

    def forward(self, image: Tensor, guide: Tensor) -> Tensor:
        return self.image(image) * torch.sigmoid(self.guide(guide))


class Loop(nn.Module):
    """As many rounds as a plain int says: 1 + 2 rounds px."""

    def __init__(self, rounds: int = 4) -> None:
        super().__init__()
        self.rounds = rounds
        self.conv = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(self.rounds):
            x = torch.tanh(self.conv(x))
        return x


class ValueDependent(nn.Module):
    """3 px for dark inputs, 7 px for bright ones."""

    def __init__(self) -> None:
        super().__init__()
        self.small = nn.Conv1d(1, 1, 3, padding=1)
        self.large = nn.Conv1d(1, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        return self.large(x) if x.sum() > 0 else self.small(x)


class DropPath(nn.Module):
    """Leaves a whole branch out, in training only."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device) >= self.share
        return x * kept / (1 - self.share)


class Dropping(nn.Module):
    """Dropout in three forms and a drop-path; 3 px."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.drop = nn.Dropout2d(0.3)
        self.path = DropPath(0.2)

    def forward(self, x: Tensor) -> Tensor:
        z = F.dropout(self.drop(self.conv(x)), 0.1, self.training)
        return x + self.path(F.dropout(z, 0.1, training=True))


class Shuffled(nn.Module):
    """Unshuffle by 2, convolve, shuffle back: units of a pair see the same 6 px."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(F.pixel_unshuffle(x, 2)), 2)


class Rolled(nn.Module):
    """Roll by 3 along the width: unit 0 sees the far end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.roll(self.conv(x), 3, -1)


class Flipped(nn.Module):
    """Flip the width, convolve with an even kernel, and cut a slice with a step of 2 out of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, (1, 4), padding=(0, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.flip(-1))[..., 1:-1:2]


class CeilPool(nn.Module):
    """Pools that look over the edge: ceil mode, padding, dilation."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.wide = nn.MaxPool2d(3, 2, padding=1, dilation=2, ceil_mode=True)
        self.mean = nn.AvgPool2d(2, 3, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.mean(self.wide(self.plain(x)))


class Resized(nn.Module):
    """A convolution, then a resize by an odd factor."""

    def __init__(self, mode: str, factor: float = 1.7, *, align_corners: bool | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.resize = nn.Upsample(scale_factor=factor, mode=mode, align_corners=align_corners)

    def forward(self, x: Tensor) -> Tensor:
        return self.resize(self.conv(x))


class ResizedTo(nn.Module):
    """A resize to a size that does not divide."""

    def __init__(self, mode: str = "bilinear", size: tuple[int, int] = (13, 17), *, antialias: bool = False) -> None:
        super().__init__()
        self.mode, self.size, self.antialias = mode, size, antialias

    def forward(self, x: Tensor) -> Tensor:
        aligned = None if self.mode.startswith("nearest") else False
        return F.interpolate(x, size=self.size, mode=self.mode, align_corners=aligned, antialias=self.antialias)


class Adaptive(nn.Module):
    """An adaptive pool whose cells differ in size and overlap."""

    def __init__(self, size: int = 5, *, largest: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.pool = nn.AdaptiveMaxPool2d(size) if largest else nn.AdaptiveAvgPool2d(size)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.conv(x))


class Flattened(nn.Module):
    """A linear map of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2 * 12 * 12, 3)
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).flatten(1))


class Dense(nn.Module):
    """Each step takes all maps before it: 1 + 2 steps px."""

    def __init__(self, steps: int = 3) -> None:
        super().__init__()
        self.steps = nn.ModuleList(nn.Conv2d(1 + i, 1, 3, padding=1) for i in range(steps))

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for step in self.steps:
            maps.append(F.gelu(step(torch.cat(maps, 1))))
        return maps[-1]


class Transposed(nn.Module):
    """A transposed convolution whose kernel the stride does not divide, dilated, with an output padding."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(x)


class Patches(nn.Module):
    """Patch embedding, tokens, one attention: everything sees everything."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, width, 4, 4)
        self.place = nn.Parameter(torch.zeros(1, 9, width))
        self.block = nn.TransformerEncoderLayer(width, 2, 16, batch_first=True, norm_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(self.embed(x).flatten(2).transpose(1, 2) + self.place)


class Grouped(nn.Module):
    """Group, layer and instance norm in front of a 3x3: 3 px locally, all of the map with the norms."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 1)
        self.norm = norm
        self.conv = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.norm(self.first(x)))


class Constant(nn.Module):
    """An output that does not look at the input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.ones_like(x)


@dataclass(frozen=True, slots=True)
class Odd:
    """A net to build, and its input shapes without the batch."""

    name: str
    build: Callable[[], nn.Module]
    shapes: tuple[Shape, ...]


MAP: tuple[Shape, ...] = ((1, 12, 12),)
LINE: tuple[Shape, ...] = ((1, 24),)

ODD: tuple[Odd, ...] = (
    Odd("reused", Reused, MAP),
    Odd("functional", Functional, MAP),
    Odd("in-place", InPlace, MAP),
    Odd("view-chain", ViewChain, MAP),
    Odd("branched", Branched, MAP),
    Odd("dict-out", DictOut, MAP),
    Odd("tuple-out", TupleOut, MAP),
    Odd("two-inputs", TwoInputs, ((1, 12, 12), (1, 12, 12))),
    Odd("loop", Loop, LINE),
    Odd("value-dependent", ValueDependent, LINE),
    Odd("dropping", Dropping, MAP),
    Odd("shuffled", Shuffled, MAP),
    Odd("rolled", Rolled, MAP),
    Odd("flipped", Flipped, MAP),
    Odd("ceil-pool", CeilPool, ((1, 30, 30),)),
    Odd("resized-nearest", lambda: Resized("nearest"), MAP),
    Odd("resized-nearest-exact", lambda: Resized("nearest-exact"), MAP),
    Odd("resized-bilinear", lambda: Resized("bilinear"), MAP),
    Odd("resized-bilinear-aligned", lambda: Resized("bilinear", 3, align_corners=True), MAP),
    Odd("resized-bicubic", lambda: Resized("bicubic"), MAP),
    Odd("shrunk-bilinear", lambda: Resized("bilinear", 0.4), MAP),
    Odd("resized-to", ResizedTo, MAP),
    Odd("resized-to-antialias", lambda: ResizedTo(size=(5, 7), antialias=True), MAP),
    Odd("adaptive-mean", Adaptive, MAP),
    Odd("adaptive-max", lambda: Adaptive(7, largest=True), MAP),
    Odd("flattened", Flattened, MAP),
    Odd("dense", Dense, MAP),
    Odd("transposed", Transposed, MAP),
    Odd("patches", Patches, MAP),
    Odd("group-norm", lambda: Grouped(nn.GroupNorm(2, 4)), MAP),
    Odd("instance-norm", lambda: Grouped(nn.InstanceNorm2d(4)), MAP),
    Odd("layer-norm", lambda: Grouped(nn.LayerNorm((4, 12, 12))), MAP),
    Odd("constant", Constant, MAP),
)
