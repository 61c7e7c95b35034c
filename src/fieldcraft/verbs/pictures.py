"""Pictures for the report: training samples, worst mistakes, saliency maps with their randomisation check."""

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from fieldcraft.prediction.saliency import randomisation_similarity, saliency
from fieldcraft.records.files import write_whole
from fieldcraft.records.versions import CURRENT
from fieldcraft.verbs.samples import Samples

SHOWN, MISTAKES, MAPS = 24, 16, 6


def shown_samples(samples: Samples) -> dict[str, npt.NDArray[np.generic]]:
    """Training images, of each class in turn."""
    assert samples.pixels is not None
    train = samples.parts.train
    values = samples.dataset.targets.values[train]
    if samples.dataset.targets.task == "single-label":
        turn = np.zeros(len(train), dtype=np.int64)
        for label in np.unique(values):
            of_class = np.flatnonzero(values == label)
            turn[of_class] = np.arange(len(of_class))
        chosen = train[np.lexsort((values, turn))[:SHOWN]]
    else:
        chosen = train[:SHOWN]
    return {
        "samples": eight_bits(samples, chosen),
        "sample_ids": np.array([samples.dataset.ids[row] for row in chosen]),
        "sample_labels": np.array([label_of(samples, int(row)) for row in chosen]),
    }


def mistakes(samples: Samples, rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.generic]]:
    """Pictures of the worst mistakes, given by row, worst first."""
    chosen = rows[:MISTAKES]
    return {
        "mistakes": eight_bits(samples, chosen),
        "mistake_ids": np.array([samples.dataset.ids[row] for row in chosen]),
    }


def saliency_maps(net: nn.Module, samples: Samples) -> tuple[dict[str, npt.NDArray[np.generic]], float]:
    """Maps for a few validation images, those of a network of random weights beside them, and their similarity."""
    assert samples.pixels is not None
    rows = samples.parts.validation[:: max(1, len(samples.parts.validation) // MAPS)][:MAPS]
    inputs = torch.from_numpy(samples.pixels[rows].astype(np.float32))
    images = ((inputs - torch.tensor(samples.mean)) / torch.tensor(samples.std)).permute(0, 3, 1, 2).contiguous()
    net = net.eval()
    with torch.no_grad():
        classes = net(images).argmax(dim=1)
    similarity, random = randomisation_similarity(net, images, classes)
    return {
        "saliency_images": eight_bits(samples, rows),
        "saliency": saliency(net, images, classes),
        "saliency_random": random,
    }, similarity


def write(path: Path, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
    """Write thumbnails.npz whole."""
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays | {"schema": np.array(CURRENT["thumbnails"])})
    write_whole(path, buffer.getvalue())


def eight_bits(samples: Samples, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Images as they can be shown."""
    assert samples.pixels is not None
    scale = samples.full_scale
    shown = samples.pixels[rows].astype(np.float32) / scale * 255
    return shown.clip(0, 255).round().astype(np.uint8)


def label_of(samples: Samples, row: int) -> str:
    """What a sample is labelled with, in words."""
    targets = samples.dataset.targets
    value = targets.values[row]
    if targets.task == "single-label":
        return targets.names[int(value)]
    if targets.task == "multi-label":
        return ", ".join(name for name, given in zip(targets.names, value, strict=True) if given) or "none"
    return ", ".join(f"{number:.4g}" for number in np.atleast_1d(value))
