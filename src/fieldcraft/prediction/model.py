"""A finished model: it predicts with calibrated confidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.data.dataset import Problem
from fieldcraft.data.from_python import as_frame, is_frame
from fieldcraft.data.image_arrays import as_images, resized, with_channels, with_depth
from fieldcraft.data.inputs import in_bucket, read_bucketed_images, read_images, read_rows
from fieldcraft.data.table_encoder import TableEncoder
from fieldcraft.errors import DataError
from fieldcraft.nn.views import Views
from fieldcraft.prediction.calibration import apply, as_outputs
from fieldcraft.prediction.ensemble import Ensemble
from fieldcraft.prediction.metrics import Array
from fieldcraft.prediction.spec import ImageSpec, ModelSpec
from fieldcraft.prediction.unsure import confidence, flag

AT_ONCE = 256


@dataclass(frozen=True)
class Prediction:
    """Predictions of files, and the inputs that could not be read."""

    frame: pd.DataFrame
    problems: tuple[Problem, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """A network, a baseline or an average of several, with everything that its predictions need."""

    spec: ModelSpec
    predictor: "nn.Module | Fitted | Ensemble[Model]"
    encoder: TableEncoder | None

    def predict(self, x: Any) -> pd.DataFrame:
        """One row a sample.

        `x`: images as an array (n, h, w) or (n, h, w, c) of any size, or a list of images of several sizes; rows as a
        frame (pandas or polars) or an array (n, columns); or paths of files and folders. Images of 8 and 16 bits are
        brought to the depth of the training images; other numbers are taken to be in their units.
        Classes: `prediction`, its calibrated `probability`, `p:CLASS` of each class, and `unsure`. Several labels: a
        column a label, with `p:LABEL`, and `unsure`. Regression: `prediction`, `low`, `high` (with several targets: a
        column a target, with `low:TARGET` and `high:TARGET`).
        Raises: DataError when the samples do not fit the model, or an input cannot be read.
        """
        if (paths := _paths(x)) is not None:
            found = self.predict_files(paths)
            if found.problems:
                listed = "; ".join(f"{one.sample}: {one.reason}" for one in found.problems[:10])
                raise DataError(
                    f"{len(found.problems)} inputs cannot be read ({listed}). Use predict_files to go on without them."
                )
            return found.frame
        frame = self.frame(self.scores(x))
        frame.insert(0, "id", [str(row) for row in range(len(frame))])
        return frame

    def predict_files(self, paths: Sequence[str | Path]) -> Prediction:
        """Predictions of files and folders; what cannot be read is named, the rest is predicted."""
        sources = [Path(path) for path in paths]
        read: npt.NDArray[np.generic] | tuple[npt.NDArray[np.generic], ...] | pd.DataFrame
        spec = self.spec.input
        if isinstance(spec, ImageSpec) and spec.buckets:
            ids, read, problems = read_bucketed_images(
                sources, buckets=spec.buckets, channels=spec.channels, depth_bits=spec.depth_bits
            )
        elif isinstance(spec, ImageSpec):
            ids, read, problems = read_images(
                sources, height=spec.height, width=spec.width, channels=spec.channels, depth_bits=spec.depth_bits
            )
        else:
            ids, read, problems = read_rows(sources)
        frame = self.frame(self.scores(read))
        frame.insert(0, "id", list(ids))
        return Prediction(frame, problems)

    def scores(self, x: Any) -> Array:
        """Calibrated probabilities (n, classes or labels), or numbers (n, targets) in target units."""
        if len(x) == 0:
            return np.zeros((0, len(self.spec.names)))
        return apply(self.outputs(x), self.spec.temperature, self.spec.task)

    def outputs(self, x: Any) -> Array:
        """What the model says before calibration: logits, or numbers in target units."""
        spec = self.spec.input
        if isinstance(spec, ImageSpec) and spec.buckets:
            return self._of_several_sizes(self._in_buckets(x, spec), spec)
        if isinstance(spec, ImageSpec):
            return self._of_pixels(self._pixels(x), spec)
        return self.of_features(self._features(x))

    def of_features(self, features: npt.NDArray[np.float32]) -> Array:
        """Outputs of rows that are encoded already, (n, width)."""
        if isinstance(self.predictor, Ensemble):
            said = [one.of_features(features) for one in self.predictor.models]
            return self.predictor.averaged(said, self.spec.task)
        if isinstance(self.predictor, Fitted):
            return as_outputs(self.predictor.scores(features), self.spec.task)
        return self._in_units(_network_outputs(self.predictor, torch.from_numpy(features)))

    def frame(self, scores: Array) -> pd.DataFrame:
        """Scores as the table that `predict` gives, without ids."""
        spec = self.spec
        if spec.task == "regression":
            return _numbers_frame(scores, spec)
        shares = {f"p:{name}": scores[:, index] for index, name in enumerate(spec.names)}
        if spec.task == "multi-label":
            labels = {name: scores[:, index] >= 0.5 for index, name in enumerate(spec.names)}
            unsure = flag(scores, spec.threshold or 0.0, multi_label=True)
            return pd.DataFrame({**labels, **shares, "unsure": unsure})
        names = np.array(spec.names, dtype=object)
        told = {
            "prediction": names[scores.argmax(axis=1)],
            "probability": confidence(scores, multi_label=False),
            "unsure": flag(scores, spec.threshold or 0.0, multi_label=False),
        }
        return pd.DataFrame({**told, **shares})

    @property
    def asked(self) -> nn.Module:
        """The network as predictions ask it: about every view that the model is asked about.

        Raises: ValueError when the model is a baseline or an average.
        """
        if not isinstance(self.predictor, nn.Module):
            raise ValueError("a baseline is no network, and an average is several models.")
        return Views(self.predictor, self.spec.tta) if self.spec.tta else self.predictor

    def _of_pixels(self, pixels: npt.NDArray[np.generic], spec: ImageSpec) -> Array:
        if isinstance(self.predictor, Ensemble):
            said = [one._of_pixels(pixels, spec) for one in self.predictor.models]
            return self.predictor.averaged(said, self.spec.task)
        if isinstance(self.predictor, Fitted):
            flat = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(spec.full_scale)
            return as_outputs(self.predictor.scores(flat), self.spec.task)
        mean, std = torch.tensor(spec.mean), torch.tensor(spec.std)
        net = self.asked
        parts = []
        for start in range(0, len(pixels), AT_ONCE):
            part = torch.from_numpy(pixels[start : start + AT_ONCE].astype(np.float32))
            parts.append(_network_outputs(net, ((part - mean) / std).permute(0, 3, 1, 2)))
        return self._in_units(np.concatenate(parts))

    def _of_several_sizes(self, images: list[npt.NDArray[np.generic]], spec: ImageSpec) -> Array:
        """Outputs of images (h, w, c), those of one size together, in the order in which they came."""
        found = np.zeros((len(images), len(self.spec.names)))
        for shape in sorted({image.shape for image in images}):
            rows = [row for row, image in enumerate(images) if image.shape == shape]
            found[rows] = self._of_pixels(np.stack([images[row] for row in rows]), spec)
        return found

    def _in_buckets(self, x: Any, spec: ImageSpec) -> list[npt.NDArray[np.generic]]:
        if isinstance(x, list | tuple):
            return [one for image in x for one in self._in_buckets(np.asarray(image)[None], spec)]
        return [in_bucket(image, spec.buckets) for image in self._as_trained(x, spec)]

    def _pixels(self, x: Any) -> npt.NDArray[np.generic]:
        spec = self.spec.input
        assert isinstance(spec, ImageSpec)
        if isinstance(x, list | tuple):
            return np.concatenate([self._pixels(np.asarray(image)[None]) for image in x])
        fitting = self._as_trained(x, spec)
        if fitting.shape[1:3] == (spec.height, spec.width):
            return fitting
        return np.stack([resized(image, spec.height, spec.width) for image in fitting])

    def _as_trained(self, x: Any, spec: ImageSpec) -> npt.NDArray[np.generic]:
        """Images (n, h, w, c) with the channels and the depth of the training images, at whatever size they have."""
        given = x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
        if given.dtype not in (np.uint8, np.uint16):
            given = given.astype(np.float32)  # a batch's own range must not decide on its depth
        pixels, _ = as_images(given, "the images")
        try:
            return with_depth(with_channels(pixels, spec.channels), spec.depth_bits)
        except ValueError as error:
            raise DataError(f"the images do not fit the model: {error}. They have shape {given.shape}.") from error

    def _features(self, x: Any) -> npt.NDArray[np.float32]:
        assert self.encoder is not None
        if is_frame(x):
            return self.encoder.transform(as_frame(x))
        columns = [code.column for code in self.encoder.codes]
        values = np.asarray(x)
        if values.ndim != 2:
            raise DataError(f"rows must come as a frame or as an array (rows, columns), but got shape {values.shape}.")
        named = pd.DataFrame(values, columns=[f"x{index}" for index in range(values.shape[1])])
        if not set(columns) <= set(named.columns):
            if values.shape[1] != len(columns):
                raise DataError(
                    f"the model was trained on {len(columns)} columns, but the array has {values.shape[1]}; "
                    "give a frame with named columns."
                )
            named.columns = pd.Index(columns)
        return self.encoder.transform(named)

    def _in_units(self, found: Array) -> Array:
        if self.spec.task != "regression":
            return found
        scaled: Array = found * np.array(self.spec.target_std) + np.array(self.spec.target_mean)
        return scaled


def _paths(x: Any) -> list[str | Path] | None:
    """The paths that `x` is, or None when it is no path and no list of paths."""
    if isinstance(x, str | Path):
        return [x]
    if isinstance(x, list | tuple) and len(x) and all(isinstance(one, str | Path) for one in x):
        return list(x)
    return None


def _network_outputs(net: nn.Module, inputs: Tensor) -> Array:
    with torch.inference_mode():
        found: Array = (
            torch.cat([net(part).float() for part in torch.split(inputs, AT_ONCE)]).numpy().astype(np.float64)
        )
    return found


def _numbers_frame(scores: Array, spec: ModelSpec) -> pd.DataFrame:
    half = np.array(spec.half_width or (np.nan,) * len(spec.names))
    if len(spec.names) == 1:
        value = scores[:, 0]
        return pd.DataFrame({"prediction": value, "low": value - half[0], "high": value + half[0]})
    columns: dict[str, Array] = {}
    for index, name in enumerate(spec.names):
        value = scores[:, index]
        columns |= {name: value, f"low:{name}": value - half[index], f"high:{name}": value + half[index]}
    return pd.DataFrame(columns)
