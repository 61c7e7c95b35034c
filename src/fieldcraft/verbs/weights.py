"""Weights that a user gives: what they are, and whether they are for the data at hand."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fieldcraft.build.pretrained.candidates import candidates
from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset, ImageArray, Table
from fieldcraft.errors import WeightsError
from fieldcraft.records.weights import WeightsFacts

Weights = str | Path | Sequence[str | Path]
"""A file, a folder, a name, or several of them."""


def listed(weights: Weights | None) -> tuple[str, ...]:
    """What was given, one by one."""
    if weights is None:
        return ()
    return (str(weights),) if isinstance(weights, str | Path) else tuple(map(str, weights))


def found_weights(given: Sequence[str], *, download: bool, say: Callable[[str], None]) -> tuple[WeightsFacts, ...]:
    """The candidates in what was given, each told. Raises: WeightsError, MissingExtraError."""
    found = candidates(given, download=download, say=say)
    for one in found:
        say(f"weights: {one.name} is {one.family} {one.model}, all {one.matched} tensors match")
    for note in dict.fromkeys(one.note for one in found if one.note):
        about = ", ".join(one.name for one in found if one.note == note)
        say(f"{about}: {note}")
    return found


def check_weights(dataset: Dataset, weights: Sequence[WeightsFacts]) -> None:
    """Raises: WeightsError when there are weights, and they are not for such data."""
    if not weights:
        return
    if isinstance(dataset.inputs, Table):
        raise WeightsError(
            f"pretrained networks are taken over for images, but {dataset.name} is a table: leave --weights out."
        )
    if isinstance(dataset.inputs, Cases):
        _check_for_masks(dataset.name, dataset.inputs, weights)
    channels = dataset.inputs.pixels.shape[3] if isinstance(dataset.inputs, ImageArray) else dataset.inputs.channels
    if channels not in (1, 3):
        raise WeightsError(
            f"pretrained networks know gray images and colours (1 or 3 channels), but the images of {dataset.name} "
            f"have {channels}: leave --weights out, or give three of the channels."
        )


def _check_for_masks(name: str, cases: Cases, weights: Sequence[WeightsFacts]) -> None:
    axes = len(cases.cases[0].geometry.shape)
    if axes != 2:
        raise WeightsError(f"pretrained networks know pictures, but {name} has masks in {axes}-D: leave --weights out.")
    if not any(len(one.maps) > 1 for one in weights):
        known = ", ".join(one.name for one in weights)
        raise WeightsError(
            f"{name} has masks, which need an encoder that gives maps of several sizes, and {known} gives none: take a "
            "residual network, such as torchvision:resnet18."
        )
