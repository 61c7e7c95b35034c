"""Candidates on disk: each baseline and each rung, with what it says about the validation part."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.baselines.store import load
from fieldcraft.errors import RunError
from fieldcraft.records.files import read_json, write_json, write_whole
from fieldcraft.records.results import Candidate


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """A candidate and its outputs on the validation part.

    `outputs`: logits of networks; logits of the probabilities of baselines; numbers in target units for regression.
    """

    candidate: Candidate
    outputs: npt.NDArray[np.float64]


def folder(rungs: Path, name: str) -> Path:
    """Where a candidate is kept."""
    return rungs / name


def keep(rungs: Path, judged: Judged) -> None:
    """Write a candidate; its model is already there. The record comes last, so that half a candidate does not count."""
    place = folder(rungs, judged.candidate.name)
    write_array(place / "validation.npy", judged.outputs)
    write_json(place / "candidate.json", "candidate", judged.candidate)


def kept(rungs: Path, name: str) -> Judged | None:
    """A candidate that was finished earlier, or None."""
    place = folder(rungs, name)
    if not (place / "candidate.json").exists():
        return None
    candidate = TypeAdapter(Candidate).validate_python(read_json(place / "candidate.json", "candidate"))
    try:
        return Judged(candidate=candidate, outputs=np.load(place / "validation.npy", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(place / "validation.npy", error) from error


def weights(rungs: Path, name: str) -> dict[str, Tensor]:
    """The weights of a finished rung. Raises: RunError when the file is missing or damaged."""
    path = folder(rungs, name) / "model.safetensors"
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(
        f"{path} is missing or damaged ({error}). Delete the folder {path.parent} and run the same command again: that "
        "candidate is made anew, everything else is kept."
    )


def baseline(rungs: Path, name: str) -> Fitted:
    """A finished baseline."""
    return load(folder(rungs, name) / "model.skops")


def write_array(path: Path, array: npt.NDArray[np.float64]) -> None:
    """Write an array whole."""
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_whole(path, buffer.getvalue())
