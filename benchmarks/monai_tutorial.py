"""The training loop of MONAI's 3-D tutorial (spleen_segmentation_3d), a step at a time, on hippocampus.

As there: CacheDataset and DataLoader, dictionary transforms, RandCropByPosNegLabel with four crops a case and two cases
a step, UNet(16, 32, 64, 128, 256) of residual units with batch norm, DiceLoss with softmax, Adam at 1e-4, sliding
windows with the overlap that is MONAI's default; on a GPU its four worker processes prepare the batches. Otherwise than
there, since cases are small, of MR and of one spacing: crops of 32 x 48 x 32 voxels instead of 96 cubed, volumes padded
to that, intensities brought to mean 0 and deviation 1 instead of a window of CT, no cropping to the foreground and no
resampling.
"""

from pathlib import Path

import numpy as np
import torch
from monai.data import CacheDataset, DataLoader, decollate_batch
from monai.inferers import sliding_window_inference
from monai.losses import DiceLoss
from monai.networks.layers import Norm
from monai.networks.nets import UNet
from monai.transforms import (
    AsDiscrete,
    Compose,
    EnsureChannelFirstd,
    EnsureTyped,
    LoadImaged,
    NormalizeIntensityd,
    Orientationd,
    RandCropByPosNegLabeld,
    SpatialPadd,
)
from monai.utils import set_determinism

from fieldcraft.prediction.masks.overlap import confusion, dice
from fieldcraft.prediction.masks.pair import MaskPair

CROP = (32, 48, 32)
CROPS, CASES = 4, 2
CLASSES = 3
RATE = 1e-4
WORKERS = 4
"""Processes that prepare batches for a GPU, as in the tutorial; on few cores they would take the network's."""
KEYS = ("image", "label")


def monai_unet() -> UNet:
    """As in the tutorial, but for the number of classes."""
    return UNet(
        spatial_dims=3, in_channels=1, out_channels=CLASSES, channels=(16, 32, 64, 128, 256), strides=(2, 2, 2, 2),
        num_res_units=2, norm=Norm.BATCH,
    )  # fmt: skip


def transforms(*, training: bool) -> Compose:
    """Of the tutorial; intensities of MR are brought to mean 0 and deviation 1 instead of a window of CT."""
    steps = [
        LoadImaged(keys=KEYS),
        EnsureChannelFirstd(keys=KEYS),
        NormalizeIntensityd(keys="image"),
        Orientationd(keys=KEYS, axcodes="RAS", labels=None),
    ]
    if training:
        steps += [
            SpatialPadd(keys=KEYS, spatial_size=CROP),
            EnsureTyped(keys=KEYS),
            RandCropByPosNegLabeld(
                keys=KEYS, label_key="label", spatial_size=CROP, pos=1, neg=1, num_samples=CROPS, image_key="image",
            ),
        ]  # fmt: skip
    return Compose(steps)


def listed(folder: Path, ending: str) -> list[dict[str, str]]:
    """Image and mask of each case."""
    names = sorted(path.name for path in (folder / f"labels{ending}").iterdir())
    return [
        {"image": str(folder / f"images{ending}" / one), "label": str(folder / f"labels{ending}" / one)}
        for one in names
    ]


def prepared(cases: list[dict[str, str]], *, training: bool) -> CacheDataset:
    """Cases with what does not change of them in memory."""
    return CacheDataset(
        data=cases, transform=transforms(training=training), cache_rate=1.0, num_workers=0, progress=False
    )


class Tutorial:
    """The tutorial's loop, a step at a time."""

    def __init__(self, cases: list[dict[str, str]], rate: float) -> None:
        set_determinism(0)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = monai_unet().to(self.device)
        workers = WORKERS if self.device.type == "cuda" else 0
        self.loader = DataLoader(prepared(cases, training=True), batch_size=CASES, shuffle=True, num_workers=workers)
        self.loss = DiceLoss(to_onehot_y=True, softmax=True)
        self.optimiser = torch.optim.Adam(self.net.parameters(), rate)
        self.batches = iter(self.loader)
        self.epochs = 0

    def step(self) -> bool:
        """Whether an epoch has ended."""
        try:
            batch = next(self.batches)
        except StopIteration:
            self.epochs += 1
            self.batches = iter(self.loader)
            return True
        self.net.train()
        self.optimiser.zero_grad()
        images, labels = (batch[key].to(self.device) for key in KEYS)
        loss = self.loss(self.net(images), labels)
        loss.backward()
        self.optimiser.step()
        loss.item()
        return False

    def dice(self, cases: CacheDataset) -> dict[str, float]:
        """Mean over classes of each case, by the same code that judges fieldcraft."""
        self.net.eval()
        found = {}
        discrete = AsDiscrete(argmax=True)
        for ready in cases:
            with torch.no_grad():
                said = sliding_window_inference(ready["image"][None].to(self.device), CROP, 4, self.net)
            (mask,) = (discrete(one) for one in decollate_batch(said.cpu()))
            truth = np.asarray(ready["label"])[0].astype(int)
            pair = MaskPair(name="", truth=truth, predicted=np.asarray(mask)[0].astype(int), spacing=(1.0,) * 3)
            name = Path(ready["label"].meta["filename_or_obj"]).name
            found[name.removesuffix(".nii.gz")] = float(np.nanmean(dice(confusion(pair, CLASSES))[1:]))
        return found
