"""fieldcraft against MONAI's own UNet with the settings of its 3-D tutorials, on folds of hippocampus.

The tutorial loop (spleen_segmentation_3d): CacheDataset and DataLoader, dictionary transforms, RandCropByPosNegLabel
with four crops a case and two cases a step, UNet(16, 32, 64, 128, 256) of residual units with batch norm, DiceLoss with
softmax, Adam at 1e-4, sliding window on validation every second epoch, the best epoch kept. Two things differ, since
the cases are small: crops of 32 x 48 x 32 voxels instead of 96 cubed, and volumes padded to that; a third is added for
fairness: beside the tutorial's rate ten times as much, the better of both on validation.
  python benchmarks/segmentation_monai.py dice SECONDS FOLD...      test Dice at equal seconds, paired over cases
  python benchmarks/segmentation_monai.py pace ROUNDS               voxels a second: same network, patch and batch
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
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

from fieldcraft.build.mask_network import wants
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.plan.masks import MaskLoss, PatchInput, Segmentation
from fieldcraft.plan.schema import AdamW, Batch, Imported, Rung
from fieldcraft.prediction.masks.overlap import confusion, dice
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.train.engine import engine
from fieldcraft.verbs.masks.rung import mask_regime
from fieldcraft.verbs.measure import training_step
from fieldcraft.verbs.prepare import Wardrobe, prepare
from fits import on_core, side_by_side
from result import summary, write
from segmentation import one_fit
from segmentation_sets import hippocampus

CROP = (32, 48, 32)
CROPS, CASES = 4, 2
CLASSES = 3
VALIDATION = 31
"""Cases of the training part, as many as fieldcraft holds back."""
RATES = (1e-4, 1e-3)
VALIDATE_EVERY = 2
STEPS = 5
"""Of each side in a turn."""
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


class Tutorial:
    """The tutorial's loop, a step at a time."""

    def __init__(self, cases: list[dict[str, str]], rate: float) -> None:
        set_determinism(0)
        self.net = monai_unet()
        data = CacheDataset(
            data=cases, transform=transforms(training=True), cache_rate=1.0, num_workers=0, progress=False
        )
        self.loader = DataLoader(data, batch_size=CASES, shuffle=True, num_workers=0)
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
        loss = self.loss(self.net(batch["image"]), batch["label"])
        loss.backward()
        self.optimiser.step()
        loss.item()
        return False

    def dice(self, cases: list[dict[str, str]]) -> dict[str, float]:
        """Mean over classes of each case, by the same code that judges fieldcraft."""
        self.net.eval()
        found = {}
        prepare, discrete = transforms(training=False), AsDiscrete(argmax=True)
        for case in cases:
            ready = prepare(case)
            with torch.no_grad():
                said = sliding_window_inference(ready["image"][None], CROP, 4, self.net, overlap=0.5)
            (mask,) = (discrete(one) for one in decollate_batch(said))
            truth = np.asarray(ready["label"])[0].astype(int)
            pair = MaskPair(name="", truth=truth, predicted=np.asarray(mask)[0].astype(int), spacing=(1.0,) * 3)
            found[Path(case["label"]).name.removesuffix(".nii.gz")] = float(
                np.nanmean(dice(confusion(pair, CLASSES))[1:])
            )
        return found


def train_tutorial(folder: Path, seconds: float, rate: float) -> dict[str, object]:
    """For so many seconds, everything counted but the look at the test part; the best epoch on validation is kept."""
    began = time.perf_counter()
    cases = listed(folder, "Tr")
    order = np.random.default_rng(0).permutation(len(cases))
    held, rest = ([cases[one] for one in rows] for rows in (order[:VALIDATION], order[VALIDATION:]))
    loop = Tutorial(rest, rate)
    best, kept, steps, validation_s = -1.0, None, 0, 0.0
    while time.perf_counter() - began + validation_s < seconds:
        ended = loop.step()
        steps += not ended
        if ended and loop.epochs % VALIDATE_EVERY == 0:
            start = time.perf_counter()
            mean = float(np.mean(list(loop.dice(held).values())))
            validation_s = time.perf_counter() - start
            if mean > best:
                best, kept = mean, {name: value.clone() for name, value in loop.net.state_dict().items()}
    mean = float(np.mean(list(loop.dice(held).values())))
    if kept is not None and mean <= best:
        loop.net.load_state_dict(kept)
    return {
        "rate": rate, "steps": steps, "epochs": loop.epochs, "validation": max(best, mean),
        "cases": loop.dice(listed(folder, "Ts")), "seconds": seconds,
    }  # fmt: skip


def at_equal_seconds(seconds: int, folds: list[int]) -> None:
    """All trainings of all folds, each on one core; the result is written at the end."""
    tasks = [partial(one_fit, "hippocampus", seconds, fold) for fold in folds]
    for rate in RATES:
        tasks += [partial(_alone, seconds, fold, rate) for fold in folds]
    done = list(side_by_side(tasks))
    ours, theirs = (
        done[: len(folds)],
        [done[first : first + len(folds)] for first in range(len(folds), len(done), len(folds))],
    )
    better = [max(sides, key=lambda one: one["validation"]) for sides in zip(*theirs, strict=True)]
    pairs = {"tutorial": _paired(ours, theirs[0]), "better rate": _paired(ours, better)}
    write(
        f"segmentation_monai_{seconds}s",
        f"test Dice on hippocampus after {seconds} s on one core: fieldcraft fit against MONAI's tutorial, paired over "
        f"cases of folds {', '.join(map(str, folds))}",
        {
            "fieldcraft": summary([one for one, _ in pairs["tutorial"]]),
            **{f"monai, {name}": summary([one for _, one in both]) for name, both in pairs.items()},
            **{f"gain over monai, {name}": summary([a - b for a, b in both]) for name, both in pairs.items()},
            "each": {
                "fieldcraft": dict(zip(map(str, folds), ours, strict=True)),
                "monai": {str(rate): sides for rate, sides in zip(RATES, theirs, strict=True)},
            },
        },
    )


def _alone(seconds: int, fold: int, rate: float, core: int) -> dict:
    """A training of the tutorial in a process of its own."""
    said = subprocess.run(
        [*on_core(core), sys.executable, __file__, "train", str(seconds), str(fold), str(rate)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(said.stdout.splitlines()[-1])


def _train(seconds: float, fold: int, rate: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(train_tutorial(hippocampus(fold, Path(scratch) / "hippocampus"), seconds, rate)))


def _paired(ours: list[dict], theirs: list[dict]) -> list[tuple[float, float]]:
    """Dice of both of each test case of each fold."""
    return [
        (mine["cases"][case], value)
        for mine, other in zip(ours, theirs, strict=True)
        for case, value in other["cases"].items()
    ]


def pace(rounds: int) -> None:
    """Training steps of MONAI's network in both loops, in turn, in one process; random crops, no other change."""
    layouts = {"channels first": False, "channels last": True}
    with tempfile.TemporaryDirectory() as scratch:
        data = hippocampus(0, Path(scratch) / "hippocampus")
        theirs = Tutorial(listed(data, "Tr"), RATES[0])
        sides = {"monai": theirs.step} | {
            f"fieldcraft, {name}": _our_step(data, Path(scratch) / "cache", last) for name, last in layouts.items()
        }
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(rounds + 1):
            for name, step in sides.items():
                began, taken = time.perf_counter(), 0
                while taken < STEPS:
                    # The end of an epoch is no step.
                    taken += step() is not True
                if turn:
                    rates[name].append(STEPS * CASES * CROPS * math.prod(CROP) / (time.perf_counter() - began))
    ratios = {
        f"{name} over monai": summary([a / b for a, b in zip(rates[name], rates["monai"], strict=True)])
        for name in sides
        if name != "monai"
    }
    write(
        "segmentation_monai_pace",
        "voxels a second in training: MONAI's UNet, 8 crops of 32 x 48 x 32 a step, in the tutorial's loop and in ours",
        {"threads": torch.get_num_threads(), **{name: summary(each) for name, each in rates.items()}, **ratios},
    )


def _our_step(data: Path, cache: Path, channels_last: bool) -> Callable[[], object]:
    """The next step of the same network in our loop: patches, Dice, Adam with decay, weight averaging."""
    prepared = prepare(str(data), ReadOptions(), seed=0)
    start = prepared.start
    assert isinstance(start.task, Segmentation)
    plan = replace(
        start,
        task=replace(start.task, loss=MaskLoss(cross_entropy=0.0, dice=1.0)),
        input=PatchInput(channels=1, patch=CROP, foreground=0.5),
        batch=Batch(size=CASES * CROPS),
        optimiser=AdamW(),
        execution=replace(start.execution, channels_last=channels_last, threads=torch.get_num_threads()),
    )
    samples, machine = Wardrobe(prepared, cache).masks(plan), engine(plan.execution)
    set_determinism(0)
    net = machine.place(monai_unet())
    batches = samples.batches(plan, machine.device, wants(net, 3, own=True), name="pace")
    rung = Rung(name="monai", network=Imported(target="monai.networks.nets:UNet"), steps=1, lr=RATES[0])
    return training_step(plan, rung, net, batches, machine, mask_regime(plan, samples, net, machine))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["dice", seconds, *folds]:
            at_equal_seconds(int(seconds), list(map(int, folds)))
        case ["train", seconds, fold, rate]:
            _train(float(seconds), int(fold), float(rate))
        case ["pace", rounds]:
            pace(int(rounds))
