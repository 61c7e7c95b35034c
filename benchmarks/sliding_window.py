"""Whole cases from overlapping windows: this package beside MONAI's sliding windows, the same network and windows.

Both alternate on one thread, so that what else the machine does falls on both; processor seconds say what is left when
it does nothing else. The network is a 3-D U-Net of 16 channels at the finest of four levels, its weights as drawn.
Usage: python benchmarks/sliding_window.py [REPEATS [FOLDER OF DATA SETS]]
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.inferers import sliding_window_inference
from torch import Tensor

from fieldcraft.data.intensities import Scaling
from fieldcraft.nn.networks.unet import UNet
from fieldcraft.train.engine import channels_last
from fieldcraft.train.windows import Windows, predicted
from result import summary, write

PATCH = (40, 56, 40)
SMALL = (32, 32, 32)


def hippocampus(folder: Path) -> np.ndarray:
    """The case whose size is the median, (1, *spatial), as stored."""
    images = [nibabel.load(path) for path in sorted((folder / "imagesTr").glob("*.nii.gz"))]
    middle = sorted(images, key=lambda image: np.prod(image.shape))[len(images) // 2]
    return np.asarray(middle.dataobj, np.float32)[None]


def timed(function: Callable[[], Tensor]) -> tuple[float, float]:
    """Wall-clock and processor seconds."""
    wall, spent = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - spent


def compared(image: np.ndarray, patch: tuple[int, ...], repeats: int, *, bf16: bool, at_once: int) -> dict[str, object]:
    torch.manual_seed(0)
    net = channels_last(UNet(1, 3, spatial=3, widths=(16, 32, 64, 128))).eval()

    def answer(given: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return net(given.contiguous(memory_format=torch.channels_last_3d)).float().softmax(1)

    def ours() -> Tensor:
        return predicted(answer, image, Windows(patch=patch, at_once=at_once), scaling=Scaling.of_case(image))

    def theirs() -> Tensor:
        given = torch.from_numpy(Scaling.of_case(image)(image.copy()))[None]
        return sliding_window_inference(given, patch, at_once, answer, overlap=0.5, mode="gaussian")[0]

    def alone() -> Tensor:
        return answer(torch.zeros(at_once, 1, *patch))

    seconds: dict[str, list[tuple[float, float]]] = {
        "fieldcraft": [],
        "monai": [],
        "network on one batch of windows": [],
    }
    with torch.no_grad():
        for warm_up in (ours, theirs, alone):
            warm_up()
        for _ in range(repeats):
            for name, function in zip(seconds, (ours, theirs, alone), strict=True):
                seconds[name].append(timed(function))
    return {
        "shape": list(image.shape[1:]),
        "windows": Windows(patch=patch).over(image.shape[1:]).windows,
        **{name: {"wall_s": summary([one for one, _ in own]), "processor_s": summary([one for _, one in own])}
           for name, own in seconds.items()},
    }  # fmt: skip


def main(repeats: int = 11, folder: str = "") -> None:
    data = Path(folder or os.environ.get("FIELDCRAFT_DATA") or Path(__file__).parents[2] / "shared" / "data")
    case = hippocampus(data / "msd_hippocampus")
    torch.set_num_threads(1)
    tiled = np.tile(case, (1, 2, 2, 2))
    few = max(3, repeats // 3)
    write(
        "sliding_window",
        "seconds for a whole case, normalisation included, on one thread; a 3-D U-Net of 16 channels in four levels",
        {
            "load_average": os.getloadavg(),
            "one window of 40x56x40, fp32": compared(case, PATCH, repeats, bf16=False, at_once=1),
            "one window of 40x56x40, bf16": compared(case, PATCH, repeats, bf16=True, at_once=1),
            "windows of 32x32x32, bf16": compared(case, SMALL, repeats, bf16=True, at_once=1),
            "eight times the case, windows of 40x56x40, bf16": compared(tiled, PATCH, few, bf16=True, at_once=1),
            "eight times the case, windows of 32x32x32, four at once, bf16": compared(
                tiled, SMALL, few, bf16=True, at_once=4
            ),
        },
    )


if __name__ == "__main__":
    main(*(int(sys.argv[1]),) if len(sys.argv) > 1 else (), *sys.argv[2:3])
