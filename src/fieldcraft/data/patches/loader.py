"""Batches of patches by step number: drawn, cut, changed and normalised in one go, without workers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fieldcraft.data.loader import Batch
from fieldcraft.data.patches.changes import Look, Shape
from fieldcraft.data.patches.cut import Padding, cut
from fieldcraft.data.patches.draw import Draw, Place
from fieldcraft.data.patches.look import changed
from fieldcraft.data.patches.volume import Volume
from fieldcraft.data.patches.warp import centre, draw_moves, moved

VOID = -1
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchBatches:
    """Training batches of patches, any step on its own, so that a training goes on from any of them.

    A patch is as large as the network's answer; the image that belongs to it reaches `context` voxels further on each
    side, for networks whose convolutions are valid or whose pathways see more. A patch that is turned or scaled is cut
    as large as it looks, so that its corners are real voxels. Beyond a volume's border images go on as `padding` says
    (after normalisation: a constant is 0, the mean) and masks are void, -1.
    """

    draw: Draw
    shape: Shape
    look: Look
    spacing: tuple[float, ...]
    """Of the volumes, one an axis; only ratios count."""
    context: tuple[int, ...]
    padding: Padding = "constant"
    device: torch.device
    channels_last: bool = False

    @classmethod
    def of(
        cls,
        volumes: Sequence[Volume],
        *,
        patch: Sequence[int],
        batch: int,
        foreground: float,
        seed: int,
        name: str,
        classes: Sequence[int] = (),
        shape: Shape | None = None,
        look: Look | None = None,
        spacing: Sequence[float] = (),
        context: Sequence[int] = (),
        padding: Padding = "constant",
        device: torch.device | None = None,
        channels_last: bool = False,
    ) -> "PatchBatches":
        """See the fields of this class, of `Draw`, `Shape` and `Look`. Empty: spacing 1, no context.

        Raises: ValueError when numbers of axes do not fit.
        """
        axes = len(patch)
        draw = Draw(volumes, tuple(patch), batch, foreground, seed, name, tuple(classes))
        for field, given in (("spacing", spacing), ("context", context)):
            if given and len(given) != axes:
                raise ValueError(f"`{field}` must have one number for each of {axes} axes, but got {tuple(given)}.")
        return cls(
            draw=draw, shape=shape or Shape(), look=look or Look(), spacing=tuple(spacing) or (1.0,) * axes,
            context=tuple(context) or (0,) * axes, padding=padding, device=device or torch.device("cpu"),
            channels_last=channels_last,
        )  # fmt: skip

    def __len__(self) -> int:
        """How many volumes there are."""
        return len(self.draw.volumes)

    def training_batch(self, step: int) -> Batch:
        """The batch of optimiser step `step` (from 0), the same whenever it is asked for.

        Shape: inputs float32 (n, channels, *patch + 2 context), targets int64 (n, *patch), rows: which volumes.
        Streams: those of `Draw`, and (seed, "augment", name...) of `draw_moves` and `look.changed`.
        """
        draw, places = self.draw, self.draw.at(step)
        seen = tuple(side + 2 * more for side, more in zip(draw.patch, self.context, strict=True))
        moves = draw_moves(
            self.shape, len(places), seen, self.spacing, seed=draw.seed, name=draw.name, step=step, device=self.device
        )
        margin = moves.margin(seen)
        images, masks = self._boxes(places, [own + more for own, more in zip(self.context, margin, strict=True)])
        images, masks = moved(images, masks, moves, seen)
        images = changed(images, self.look, self.spacing, seed=draw.seed, name=draw.name, step=step)
        layout = LAYOUTS.get(images.ndim, torch.contiguous_format) if self.channels_last else torch.contiguous_format
        rows = torch.tensor([place.case for place in places])
        return Batch(images.contiguous(memory_format=layout), centre(masks, draw.patch).contiguous(), rows)

    def _boxes(self, places: Sequence[Place], margin: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Patches with a margin on each side, as they are stored: (n, c, *box), (n, *box), on the device."""
        size = [side + 2 * more for side, more in zip(self.draw.patch, margin, strict=True)]
        channels = len(self.draw.volumes[0].image)
        pinned = self.device.type == "cuda"  # filled in place: a GPU fetches them when it is ready
        held = torch.empty((len(places), channels, *size), pin_memory=pinned)
        ids = torch.empty((len(places), *size), dtype=torch.int64, pin_memory=pinned)
        images, masks = held.numpy(), ids.numpy()
        for index, place in enumerate(places):
            volume = self.draw.volumes[place.case]
            start = [first - more for first, more in zip(place.start, margin, strict=True)]
            image = cut(volume.image, start, size, dtype=np.float32, padding=self.padding,
                        value=volume.scaling.zero(volume.image.ndim))  # fmt: skip
            images[index] = volume.scaling(image)
            masks[index] = cut(volume.mask, start, size, dtype=np.int64, value=VOID)
        return held.to(self.device, non_blocking=pinned), ids.to(self.device, non_blocking=pinned)
