"""Models of samples on disk: written whole, read back, put together from their parts."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.baselines.store import load as load_baseline
from fieldcraft.baselines.store import save as save_baseline
from fieldcraft.build.network import build_network
from fieldcraft.data.table_encoder import TableEncoder
from fieldcraft.errors import RunError
from fieldcraft.plan.schema import Initialisation
from fieldcraft.prediction.ensemble import Ensemble
from fieldcraft.prediction.model import Model
from fieldcraft.prediction.spec import CaseSpec, ImageSpec, ModelSpec, TableSpec, of_member, read_spec, write_spec
from fieldcraft.records.files import write_whole
from fieldcraft.train.run_folder import RunFolder

One = TypeVar("One")


def save_model(
    folder: RunFolder,
    spec: ModelSpec,
    *,
    weights: Mapping[str, Tensor] | None = None,
    baseline: Fitted | None = None,
    members: Mapping[str, Fitted] = MappingProxyType({}),
    encoder: TableEncoder | None = None,
) -> None:
    """Write the model of a run; network.toml comes last, so that it never describes what is not there yet.

    `members`: baselines that take part in an average; its networks are in `weights` (`RunFolder.weights`).
    """
    if encoder is not None:
        write_whole(folder.encoder, json.dumps(encoder.to_document(), indent=1) + "\n")
    if weights is not None:
        write_whole(folder.weights, save({name: value.cpu().contiguous() for name, value in weights.items()}))
    if baseline is not None:
        save_baseline(baseline, folder.baseline)
    for name, fitted in members.items():
        save_baseline(fitted, folder.member(name))
    write_spec(folder.network, spec)
    for path, needed in ((folder.weights, weights is not None), (folder.baseline, baseline is not None)):
        if not needed:
            path.unlink(missing_ok=True)


def load_model(path: str | Path) -> Model:
    """The model of a run folder.

    Raises: RunError when there is none, or a file is damaged.
    """
    folder = RunFolder(Path(path))
    if not folder.path.is_dir():
        raise RunError(f"{folder.path} is no run folder: give the folder that `fieldcraft fit` wrote.")
    spec = read_spec(folder.network)
    if isinstance(spec.input, CaseSpec):
        raise RunError(f"{folder.path} holds a model of masks: fieldcraft.load reads it.")
    encoder = _encoder(spec.input, folder) if isinstance(spec.input, TableSpec) else None
    try:
        networks = spec.network is not None or any(one.network is not None for one in spec.members)
        weights = load_file(folder.weights) if networks else {}
        return assembled(spec, weights, lambda name: _fitting(name, spec, folder), encoder)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise RunError(
            f"{folder.weights} is missing, damaged, or does not belong to {folder.network.name} "
            f"({str(error).splitlines()[0]}): fit again, or restore both files."
        ) from error


def assembled(
    spec: ModelSpec,
    weights: Mapping[str, Tensor],
    baseline: Callable[[str], Fitted],
    encoder: TableEncoder | None,
    name: str = "",
) -> Model:
    """A model from its description: a network, a baseline, or an average of these.

    `weights`: of its network, or of all of them together. `baseline`: gives one by its name in an average, or the only
    one for `name`. Raises: RuntimeError when the weights are those of another network.
    """
    if spec.members:
        models = [
            assembled(of_member(spec, one), weights_of(weights, one.name), baseline, encoder, one.name)
            for one in spec.members
        ]
        return Model(spec, averaging(spec, models), encoder)
    return Model(spec, baseline(name) if spec.network is None else _network(spec, weights), encoder)


def averaging(spec: ModelSpec, models: Sequence[One]) -> Ensemble[One]:
    """The models of an average, one a member."""
    return Ensemble(
        tuple(models), tuple(one.weight for one in spec.members), tuple(one.temperature for one in spec.members)
    )


def weights_together(weights: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The weights of several networks in one file, by their names."""
    return {f"{name}/{key}": value for name, each in weights.items() for key, value in each.items()}


def weights_of(together: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Those of one of them."""
    return {key.removeprefix(f"{name}/"): value for key, value in together.items() if key.startswith(f"{name}/")}


def _network(spec: ModelSpec, weights: Mapping[str, Tensor]) -> nn.Module:
    assert spec.network is not None
    net = build_network(
        spec.network, shape=_shape(spec), outputs=len(spec.names), initialisation=Initialisation(whiten=spec.whiten),
        seed=0, name="load", read_weights=False,
    )  # fmt: skip
    net.load_state_dict(weights)
    return net.eval()


def _shape(spec: ModelSpec) -> tuple[int, ...]:
    if isinstance(spec.input, ImageSpec):
        return spec.input.channels, spec.input.height, spec.input.width
    assert isinstance(spec.input, TableSpec)
    return (spec.input.width,)


def _encoder(table: TableSpec, folder: RunFolder) -> TableEncoder:
    try:
        encoder = TableEncoder.from_document(json.loads(folder.encoder.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise RunError(
            f"{folder.encoder} is missing or damaged ({str(error).splitlines()[0]}): fit again, or restore it."
        ) from error
    if encoder.width != table.width:
        raise RunError(
            f"{folder.encoder} makes {encoder.width} numbers of a row, but {folder.network.name} says "
            f"{table.width}: the files belong to different runs. Fit again, or restore both."
        )
    return encoder


def _fitting(name: str, spec: ModelSpec, folder: RunFolder) -> Fitted:
    path = folder.member(name) if name else folder.baseline
    baseline = load_baseline(path)
    if (baseline.task, baseline.outputs) != (spec.task, len(spec.names)):
        raise RunError(
            f"{path} is of a {baseline.task} task with {baseline.outputs} outputs, but "
            f"{folder.network.name} says {spec.task} with {len(spec.names)}: they are "
            "of different runs. Fit again, or restore both."
        )
    return baseline
