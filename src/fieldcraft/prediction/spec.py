"""What a saved model is and how its outputs are read: the content of network.toml."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tomlkit
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from fieldcraft.errors import RunError
from fieldcraft.plan.masks import Masks, PatchInput
from fieldcraft.plan.schema import Bucket, Network, View
from fieldcraft.records.facts import Task
from fieldcraft.records.files import write_whole
from fieldcraft.records.masks import ComponentRule, DenseCrf
from fieldcraft.records.versions import bring_forward, stamp


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """How images reach the model."""

    kind: Literal["image"] = "image"
    height: int
    width: int
    channels: int
    depth_bits: int
    """8, 16 or 32 (floating point)."""
    mean: tuple[float, ...]
    """Per channel, in stored units; networks see (pixel - mean) / std."""
    std: tuple[float, ...]
    full_scale: float
    """Baselines see pixel / full_scale."""
    buckets: tuple[Bucket, ...] = ()
    """Sizes of which each image is brought to the one that fits it best, for networks; empty: height and width."""


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """How rows reach the model: through table_encoder.json."""

    kind: Literal["table"] = "table"
    width: int
    """Numbers a row, once encoded."""


@dataclass(frozen=True, kw_only=True)
class CaseSpec:
    """How images reach a model of masks, and how masks are made of what it says."""

    kind: Literal["cases"] = "cases"
    sample: PatchInput
    """As in the plan: patch, spacing, normalisation."""
    low: tuple[float, ...] = ()
    """Per channel in stored units, where one scaling serves all cases; images are clipped to it."""
    high: tuple[float, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    values: tuple[int, ...]
    """The number (or colour, 0xRRGGBB) of each class in mask files."""
    void: tuple[int, ...] = ()
    colours: bool = False
    masks: Masks
    """As in the plan: windows, mirroring."""
    components: tuple[ComponentRule, ...] = ()
    """What is left out of predicted masks, as validation chose."""
    crf: tuple[DenseCrf, ...] = ()
    """One, where validation improved with it."""
    baseline: Literal["none", "mean-shape", "voxel-boosting"] = "none"
    """Which baseline the model is, if any."""


@dataclass(frozen=True, kw_only=True)
class MemberSpec:
    """A model that takes part in an average."""

    name: str
    """Its weights stand under this name."""
    weight: Annotated[float, Field(gt=0, le=1)]
    """Its share of the average."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Its logits are divided by it before they become the probabilities that are averaged."""
    network: Network | None = None
    """None: it is a baseline."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Everything about a model but its weights."""

    task: Task
    names: Annotated[tuple[str, ...], Field(min_length=1)]
    """Classes, labels, or target columns."""
    input: Annotated[ImageSpec | TableSpec | CaseSpec, Field(discriminator="kind")]
    network: Network | None = None
    """None: the model is a baseline, or an average."""
    members: tuple[MemberSpec, ...] = ()
    """Models whose answers are averaged, the heaviest first; empty: the model is a single one."""
    whiten: bool = False
    """Whether the network begins with a whitening layer."""
    tta: tuple[View, ...] = ()
    """Views of an image over which the network's outputs are averaged."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Logits are divided by it."""
    threshold: float | None = None
    """Probability below which a prediction is unsure; None for regression."""
    half_width: tuple[float, ...] = ()
    """Regression: of the interval, one a target, in the target's units."""
    sigma: tuple[float, ...] = ()
    """Regression: deviation of the noise."""
    target_mean: tuple[float, ...] = ()
    """Regression: what a network's output of 0 stands for."""
    target_std: tuple[float, ...] = ()
    """Regression: what one unit of a network's output stands for."""


def of_member(spec: ModelSpec, member: MemberSpec) -> ModelSpec:
    """The description of one model of an average by itself: it is asked for what it says before calibration."""
    return replace(spec, network=member.network, members=(), temperature=1.0)


_SPEC: TypeAdapter[ModelSpec] = TypeAdapter(ModelSpec)


def write_spec(path: Path, spec: ModelSpec) -> None:
    """Write network.toml whole."""
    write_whole(path, tomlkit.dumps(stamp("network", _without_none(_SPEC.dump_python(spec, mode="json")))))


def _without_none(value: Any) -> Any:
    """TOML has no word for it: what is not there is None."""
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value


def read_spec(path: Path) -> ModelSpec:
    """Read network.toml.

    Raises: RunError when it is missing or damaged.
    """
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return _SPEC.validate_python(bring_forward("network", document, str(path)))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunError(
            f"{path.parent} holds no model yet ({path.name} is missing): run `fieldcraft fit` first."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise RunError(f"{path} is damaged ({error}): fit again, or restore the file.") from error
