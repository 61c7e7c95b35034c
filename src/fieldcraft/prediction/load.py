"""The way in to any finished run's model."""

from pathlib import Path

from fieldcraft.errors import RunError
from fieldcraft.prediction.masks.model import MaskModel, load_mask_model
from fieldcraft.prediction.model import Model
from fieldcraft.prediction.saved import load_model
from fieldcraft.prediction.spec import read_spec
from fieldcraft.train.run_folder import RunFolder


def load(path: str | Path) -> Model | MaskModel:
    """The model of a run folder: of samples with one answer each, or of masks.

    Raises: RunError when there is none, or a file is damaged.
    """
    folder = RunFolder(Path(path))
    if not folder.path.is_dir():
        raise RunError(f"{folder.path} is no run folder: give the folder that `fieldcraft fit` wrote.")
    return load_mask_model(path) if read_spec(folder.network).input.kind == "cases" else load_model(path)
