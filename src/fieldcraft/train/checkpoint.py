"""Checkpoints: everything that the next step depends on, in one safetensors file, written whole."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fieldcraft.errors import RunError
from fieldcraft.records.files import write_whole
from fieldcraft.records.versions import bring_forward, stamp
from fieldcraft.train.averaging import Average
from fieldcraft.train.guard import Guard
from fieldcraft.train.progress import Seen


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a rung's training stands, apart from tensors."""

    step: int = 0
    """Optimiser steps taken."""
    guard: Guard = Guard()  # noqa: RUF009  (frozen)
    seconds: float = 0.0
    """Spent on this rung."""
    seen: tuple[Seen, ...] = ()
    """Looks at validation, oldest first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """A place and the tensors that belong to it."""

    place: Place
    tensors: Mapping[str, Tensor]


def capture(
    place: Place,
    net: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: Average | None,
    **more: Mapping[str, Tensor],
) -> Checkpoint:
    """Copy everything that the next step depends on; `more` are further parts, which `part` gives back by name."""
    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
    for index, entries in optimiser.state_dict()["state"].items():
        for key, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{key}"] = value
    if average is not None:
        tensors |= {f"average.{name}": value for name, value in average.state().items()}
    for part_name, values in more.items():
        tensors |= {f"{part_name}.{name}": value for name, value in values.items()}
    return Checkpoint(place=place, tensors={name: value.detach().clone() for name, value in tensors.items()})


def restore(checkpoint: Checkpoint, net: nn.Module, optimiser: torch.optim.Optimizer, average: Average | None) -> Place:
    """Put network, optimiser and average back; gives the place."""
    net.load_state_dict(_under("net.", checkpoint.tensors))
    entries: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("optimiser.", checkpoint.tensors).items():
        index, key = name.split(".", 1)
        entries.setdefault(int(index), {})[key] = value.clone()
    optimiser.load_state_dict({**optimiser.state_dict(), "state": entries})
    if average is not None:
        average.restore(_under("average.", checkpoint.tensors))
    return checkpoint.place


def part(checkpoint: Checkpoint, name: str) -> dict[str, Tensor]:
    """Copies of the tensors of one further part; empty when the checkpoint has none."""
    return {key: value.clone() for key, value in _under(f"{name}.", checkpoint.tensors).items()}


def write(checkpoint: Checkpoint, path: Path) -> None:
    """Write it whole: a kill leaves the one before."""
    tensors = {name: value.cpu().contiguous() for name, value in checkpoint.tensors.items()}
    write_whole(path, save(tensors, metadata={"place": json.dumps(stamp("checkpoint", asdict(checkpoint.place)))}))


def read(path: Path) -> Checkpoint | None:
    """The checkpoint at a path; None when there is none.

    Raises: RunError when it is damaged.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            place = _place(bring_forward("checkpoint", json.loads((file.metadata() or {})["place"]), str(path)))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise RunError(
            f"checkpoint {path} is damaged ({error}). Delete it and run the same command again: that rung starts "
            "anew, everything else is kept."
        ) from error
    return Checkpoint(place=place, tensors=tensors)


def _place(document: dict[str, Any]) -> Place:
    seen = tuple(Seen(**one) for one in document.get("seen", ()))
    return Place(**{**document, "guard": Guard(**document["guard"]), "seen": seen})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
