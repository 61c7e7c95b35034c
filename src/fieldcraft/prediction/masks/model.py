"""A finished model of masks: loaded from a run folder, it predicts whole cases with calibrated probabilities."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file
from torch import Tensor, nn

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.baselines.mean_shape import MeanShape
from fieldcraft.baselines.store import load as load_baseline
from fieldcraft.build.mask_network import wants
from fieldcraft.build.network import build_network
from fieldcraft.data.cases import ClassTable
from fieldcraft.data.intensities import Scaling
from fieldcraft.data.spacing import orders_for, resampled, shape_at
from fieldcraft.errors import DataError, RunError
from fieldcraft.plan.schema import Imported, Initialisation
from fieldcraft.prediction.calibration import LEAST
from fieldcraft.prediction.ensemble import Ensemble
from fieldcraft.prediction.masks.ask import Asker, Logits
from fieldcraft.prediction.masks.components import filtered
from fieldcraft.prediction.masks.dense_crf import marginals
from fieldcraft.prediction.masks.null import boosted_logits
from fieldcraft.prediction.saved import averaging, weights_of
from fieldcraft.prediction.spec import CaseSpec, ModelSpec, of_member, read_spec
from fieldcraft.train.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictedMask:
    """What a model says about one case, on the case's own grid."""

    mask: npt.NDArray[np.int16]
    """(*spatial): class ids, indices into `names`."""
    probabilities: npt.NDArray[np.float32]
    """(classes, *spatial), calibrated."""
    names: tuple[str, ...]

    @property
    def uncertainty(self) -> npt.NDArray[np.float32]:
        """(*spatial): entropy of the probabilities as a share of the largest possible, 0 (sure) to 1."""
        shares = self.probabilities.clip(1e-12, 1.0)
        found: npt.NDArray[np.float32] = (-(shares * np.log(shares)).sum(axis=0) / np.log(len(shares))).astype(
            np.float32
        )
        return found


@dataclass(frozen=True, eq=False)
class MaskModel:
    """A network, a baseline or an average of networks, with everything that masks need."""

    spec: ModelSpec
    predictor: "nn.Module | Fitted | MeanShape | Ensemble[MaskModel]"
    device: torch.device = torch.device("cpu")  # noqa: RUF009  (never changes)
    """Where a network lives."""

    @property
    def cases(self) -> CaseSpec:
        """How images reach the model."""
        assert isinstance(self.spec.input, CaseSpec)
        return self.spec.input

    @property
    def table(self) -> ClassTable:
        """From class ids to the numbers in mask files."""
        spec = self.cases
        return ClassTable(names=self.spec.names, values=spec.values, void=spec.void, colours=spec.colours)

    def on(self, device: torch.device) -> "MaskModel":
        """The same model with its networks on a device; baselines stay on the CPU."""
        if isinstance(self.predictor, Ensemble):
            models = tuple(one.on(device) for one in self.predictor.models)
            return replace(self, predictor=replace(self.predictor, models=models), device=device)
        if not isinstance(self.predictor, nn.Module):
            return self
        return replace(self, predictor=self.predictor.to(device), device=device)

    def predict(
        self, x: npt.ArrayLike | Sequence[npt.ArrayLike], spacing: Sequence[float] | None = None
    ) -> PredictedMask | tuple[PredictedMask, ...]:
        """Predict one image, or each of a list or tuple of images, of any size.

        `x`: (channels, *spatial), or (*spatial) where there is one channel; intensities in the units of the training
        images. `spacing`: between voxels along each axis in mm, where training resampled to one; None: as there.
        Raises: DataError when an image does not fit the model.
        """
        if isinstance(x, list | tuple):
            return tuple(self.predicted(self._image(np.asarray(one)), spacing) for one in x)
        return self.predicted(self._image(np.asarray(x)), spacing)

    def predicted(self, image: npt.NDArray[np.generic], spacing: Sequence[float] | None = None) -> PredictedMask:
        """Mask and probabilities of one case, (channels, *spatial) in stored units."""
        given = tuple(spacing) if spacing is not None else self.cases.sample.spacing or (1.0,) * (image.ndim - 1)
        return self.finished(self.logits(image, given), image, given)

    def logits(self, image: npt.NDArray[np.generic], spacing: Sequence[float]) -> Logits:
        """What the predictor says before calibration, (classes, *spatial) on the grid of the image."""
        if isinstance(self.predictor, Ensemble):
            said_by_each = (one.logits(image, spacing) for one in self.predictor.models)
            return mean_logits(said_by_each, self.predictor.weights)
        if isinstance(self.predictor, MeanShape):
            return self.predictor.logits(image.shape[1:])
        target = self.cases.sample.spacing
        shape = shape_at(image.shape[1:], spacing, target) if target else image.shape[1:]
        seen = image if shape == image.shape[1:] else resampled(image, shape, orders_for(spacing))
        scaling = self._scaling(seen)
        if isinstance(self.predictor, Fitted):
            said = boosted_logits(self.predictor, seen, scaling, target or spacing)
        else:
            said = self._asker(self.predictor).logits(seen, scaling)
        if said.shape[1:] == image.shape[1:]:
            return said
        return resampled(said, image.shape[1:], orders_for((1.0,) * len(shape), order=1))

    def finished(self, logits: Logits, image: npt.NDArray[np.generic], spacing: Sequence[float]) -> PredictedMask:
        """Calibrated, and refined as validation chose."""
        warm = logits / np.float32(self.spec.temperature)
        if self.cases.crf:
            shares = marginals(warm, np.asarray(image, np.float32), tuple(spacing), self.cases.crf[0])
        else:
            shares = np.exp(warm - warm.max(axis=0))
            shares /= shares.sum(axis=0)
        mask = shares.argmax(axis=0).astype(np.int16)
        if self.cases.components:
            mask = filtered(mask, self.cases.components, tuple(spacing)).astype(np.int16)
        return PredictedMask(mask=mask, probabilities=shares.astype(np.float32), names=self.spec.names)

    def _asker(self, net: nn.Module) -> Asker:
        sample = self.cases.sample
        found = wants(net, len(sample.patch), own=isinstance(self.spec.network, Imported))
        return Asker(net=net, wants=found, patch=sample.patch, masks=self.cases.masks, device=self.device)

    def _scaling(self, image: npt.NDArray[np.generic]) -> Scaling:
        spec = self.cases
        match spec.sample.normalise:
            case "case":
                return Scaling.of_case(image)
            case "set":
                return Scaling(spec.low, spec.high, spec.mean, spec.std)
            case "none":
                return Scaling.none(len(image))

    def _image(self, given: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        spatial, channels = len(self.cases.sample.patch), self.cases.sample.channels
        if given.ndim == spatial and channels == 1:
            given = given[None]
        if given.ndim != spatial + 1 or given.shape[0] != channels or not given.size:
            axes = ", ".join(("channels", *("side",) * spatial))
            raise DataError(
                f"the model takes images of shape ({axes}) with {channels} channel(s), but got {given.shape}."
            )
        if not np.isfinite(given).all():
            raise DataError("the image holds NaN or infinity: replace them before predicting.")
        return given


def load_mask_model(path: str | Path) -> MaskModel:
    """The model of masks in a run folder.

    Raises: RunError when there is none, it is one of other samples, or a file is damaged.
    """
    folder = RunFolder(Path(path))
    spec = read_spec(folder.network)
    if not isinstance(spec.input, CaseSpec):
        raise RunError(f"{folder.path} holds a model of a {spec.task} task, not of masks.")
    try:
        return MaskModel(spec, _predictor(spec, spec.input, folder))
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        raise RunError(
            f"{folder.weights} is missing, damaged, or does not belong to {folder.network.name} "
            f"({str(error).splitlines()[0]}): fit again, or restore both files."
        ) from error


def _predictor(
    spec: ModelSpec, cases: CaseSpec, folder: RunFolder
) -> nn.Module | Fitted | MeanShape | Ensemble[MaskModel]:
    match cases.baseline:
        case "mean-shape":
            return MeanShape(load_arrays(folder.weights)["shares"])
        case "voxel-boosting":
            return load_baseline(folder.baseline)
        case "none":
            stored = load_file(folder.weights)
            if not spec.members:
                return _network(spec, cases, stored, folder)
            alone = [of_member(spec, one) for one in spec.members]
            models = [
                MaskModel(each, _network(each, cases, weights_of(stored, one.name), folder))
                for each, one in zip(alone, spec.members, strict=True)
            ]
            return averaging(spec, models)


def _network(spec: ModelSpec, cases: CaseSpec, weights: Mapping[str, Tensor], folder: RunFolder) -> nn.Module:
    if spec.network is None:
        raise RunError(f"{folder.network} names neither a network nor a baseline: fit again.")
    net = build_network(
        spec.network, shape=(cases.sample.channels, *cases.sample.patch), outputs=len(spec.names),
        initialisation=Initialisation(), seed=0, name="load", masks=True, read_weights=False,
    )  # fmt: skip
    net.load_state_dict(weights)
    return net.eval()


def mean_logits(said: Iterable[Logits], weights: Sequence[float]) -> Logits:
    """Logits of the weighted mean of the probabilities that several models give, (classes, *spatial); one at a time."""
    mean: Logits | None = None
    for logits, weight in zip(said, weights, strict=True):
        shares = np.exp(logits - logits.max(axis=0))
        shares *= np.float32(weight) / shares.sum(axis=0)
        mean = shares if mean is None else mean + shares
    assert mean is not None, "no model to average"
    found: Logits = np.log(mean.clip(LEAST))
    return found
