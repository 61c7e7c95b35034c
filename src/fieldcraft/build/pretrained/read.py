"""Files of weights to tensors by name; nothing that could run code is loaded."""

import warnings
import zipfile
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fieldcraft.errors import WeightsError

SAFETENSORS, NUMPY, TORCH = (".safetensors",), (".npz",), (".pth", ".pt", ".th", ".bin", ".ckpt")
ENDINGS = (*SAFETENSORS, *NUMPY, *TORCH)
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "weights")
"""Names under which checkpoints keep their tensors beside other things."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file, on the CPU, by the names that they have there.

    Safetensors, `.npz` without objects, and what torch.save wrote as far as plain tensors go (`weights_only=True`). A
    prefix `module.`, which data-parallel training leaves, is taken away.
    Raises: WeightsError when the file is missing, is no checkpoint, or would have to be unpickled.
    """
    if not path.is_file():
        raise WeightsError(f"there is no file {path}.")
    if path.suffix in SAFETENSORS:
        found = _safetensors(path)
    elif path.suffix in NUMPY:
        found = _numpy(path)
    elif path.suffix in TORCH:
        found = _tensors(_torch(path), path)
    else:
        raise WeightsError(f"{path} is no file of weights: it must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.")
    if not found:
        raise WeightsError(f"{path} is no checkpoint: it holds no tensors.")
    return {name.removeprefix("module."): value for name, value in found.items()}


def digest(path: Path) -> str:
    """32 hexadecimal digits over the bytes of a file. Raises: WeightsError when it cannot be read."""
    found = blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while piece := file.read(2**20):
                found.update(piece)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}).") from error
    return found.hexdigest()


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no safetensors file ({error}).") from error


def _numpy(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(np.array(arrays[name])) for name in arrays.files}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} is no archive of plain arrays ({_first_line(error)}).") from error


def _torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles of other protocols, which then fail or do not
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise WeightsError(
            f"{path} is no checkpoint of plain tensors: it is damaged, or it holds objects that are made by running "
            "code from the file, which fieldcraft does not do. If you trust it, load it yourself and save its "
            "state_dict with safetensors."
        ) from error
    except Exception as error:  # bytes of no checkpoint fail in whatever way they look like one
        raise WeightsError(f"{path} is no checkpoint ({_first_line(error)}).") from error


def _tensors(found: Any, path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, out of what it is wrapped in."""
    if isinstance(found, Mapping):
        for name in WRAPPERS:
            if isinstance(found.get(name), Mapping):
                return _tensors(found[name], path)
        return {str(name): value.detach() for name, value in found.items() if isinstance(value, Tensor)}
    raise WeightsError(f"{path} is no checkpoint: it holds a {type(found).__name__}, not tensors by name.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:160]
