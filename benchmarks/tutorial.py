"""The null of the image benchmarks: the loop that tutorials teach.

A small CNN, Adam at 1e-3, random crop and flip by PIL on each sample, single precision, NCHW, a plain DataLoader.
"""

import time

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.nn import functional


def small_cnn(channels: int, classes: int, side: int) -> nn.Module:
    """Two convolutions with pooling and two linear maps, as in PyTorch's CIFAR-10 tutorial, a little wider."""
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * (side // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, classes),
    )  # fmt: skip


class PerSample(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """Augments one image at a time with PIL, as torchvision's RandomCrop, RandomHorizontalFlip and ToTensor do."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, *, augment: bool, flip: bool) -> None:
        self.pixels, self.labels, self.augment, self.flip = pixels, labels, augment, flip
        scaled = pixels[:: max(1, len(pixels) // 5000)].astype(np.float32) / 255
        self.mean = torch.tensor(scaled.mean(axis=(0, 1, 2))).view(-1, 1, 1)
        self.std = torch.tensor(scaled.std(axis=(0, 1, 2))).view(-1, 1, 1)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        pixels = self.pixels[index]
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        if self.augment:
            side = image.width
            image = ImageOps.expand(image, 4)
            left, top = np.random.randint(0, 9, 2)
            image = image.crop((left, top, left + side, top + side))
            if self.flip and np.random.rand() < 0.5:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        array = np.asarray(image, dtype=np.float32) / 255
        tensor = torch.from_numpy(array).reshape(side_of(array), side_of(array), -1).permute(2, 0, 1)
        return (tensor - self.mean) / self.std, int(self.labels[index])


def side_of(array: np.ndarray) -> int:
    return int(array.shape[0])


def train(
    pixels: np.ndarray, labels: np.ndarray, *, classes: int, seconds: float, seed: int, flip: bool, threads: int
) -> tuple[nn.Module, PerSample]:
    """Train until the time is over."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    np.random.seed(seed)
    began = time.perf_counter()
    data = PerSample(pixels, labels, augment=True, flip=flip)
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    net = small_cnn(pixels.shape[3], classes, pixels.shape[1])
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    while True:
        for inputs, targets in loader:
            if time.perf_counter() - began > seconds:
                return net, data
            optimiser.zero_grad()
            functional.cross_entropy(net(inputs), targets).backward()
            optimiser.step()


def accuracy(net: nn.Module, data: PerSample, pixels: np.ndarray, labels: np.ndarray) -> float:
    """On untouched images."""
    net.eval()
    inputs = (torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2) / 255 - data.mean) / data.std
    with torch.no_grad():
        found = torch.cat([net(part).argmax(1) for part in inputs.split(500)]).numpy()
    return float((found == labels).mean())
