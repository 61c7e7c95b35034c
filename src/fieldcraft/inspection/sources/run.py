"""A run folder of fieldcraft, or a plan: the network that won, or the one of a rung (`plan.toml:rung`)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldcraft.anatomy.inputs import Input
from fieldcraft.build.network import build_network
from fieldcraft.errors import InspectError
from fieldcraft.inspection.sources.source import Source
from fieldcraft.plan.schema import ImageInput, Imported, Network, Plan, Rung
from fieldcraft.plan.toml import read_plan
from fieldcraft.prediction.spec import ModelSpec, TableSpec, read_spec
from fieldcraft.tips.rule import Circumstances
from fieldcraft.train.run_folder import RunFolder

LOSSES = {"binary-cross-entropy": "bce-with-logits", "squared-error": "mse"}
"""The plan's names of losses as rules call them, where they differ."""
OUTPUTS = 10
"""Of a network whose plan lies beside no facts."""


def open_run(path: Path, rung: str = "") -> Source:
    """The network of a rung; of the one that won where a run is finished, else of the last.

    Raises: InspectError when there is no plan, no network in it, or no such rung; PlanError for a damaged plan.
    """
    folder = RunFolder(path if path.is_dir() else path.parent)
    file = folder.plan if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise InspectError(f"{path} is no run folder of fieldcraft: it has no {file.name}.")
    plan = read_plan(file).plan
    spec = read_spec(folder.network) if path.is_dir() and folder.network.is_file() else None
    chosen = _rung(plan, rung, spec, file)
    known = _known(folder.facts)
    shape = _shape(plan, spec, known, file)
    outputs = len(spec.names) if spec is not None else known.outputs or OUTPUTS
    module = build_network(
        chosen.network,
        shape=shape,
        outputs=outputs,
        initialisation=plan.initialisation,
        seed=plan.seed,
        name=chosen.name,
        read_weights=False,
    )
    return Source(
        module=module,
        name=f"{path}:{chosen.name}",
        inputs=(Input(shape=shape),),
        circumstances=Circumstances(loss=_loss(plan), batch=_batch(plan), device=plan.execution.device),
        notes=_notes(plan, chosen, guessed=spec is None and known.outputs is None),
    )


def _rung(plan: Plan, wanted: str, spec: ModelSpec | None, file: Path) -> Rung:
    rungs = plan.ladder.rungs
    if not rungs:
        raise InspectError(f"{file} trains baselines only: there is no network in it to inspect.")
    if not wanted:
        won = [rung for rung in rungs if spec is not None and rung.network == _winning(spec)]
        return won[0] if won else [rung for rung in rungs if not rung.copy_of][-1]
    for rung in rungs:
        if rung.name == wanted:
            return rung
    raise InspectError(f"{file} has no rung {wanted}; it has {', '.join(rung.name for rung in rungs)}.")


def _winning(spec: ModelSpec) -> Network | None:
    """The network that won; of an average, the one with the largest share."""
    return spec.network or next((one.network for one in spec.members if one.network is not None), None)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What facts.json says."""

    outputs: int | None = None
    width: int | None = None


def _known(facts: Path) -> _Known:
    try:
        document: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        data = document["data"]
        width = data["inputs"].get("width")
        return _Known(outputs=int(data["target"]["outputs"]), width=width if isinstance(width, int) else None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _Known()


def _shape(plan: Plan, spec: ModelSpec | None, known: _Known, file: Path) -> tuple[int, ...]:
    if isinstance(plan.input, ImageInput):
        return plan.input.channels, plan.input.height, plan.input.width
    if spec is not None and isinstance(spec.input, TableSpec):
        return (spec.input.width,)
    if known.width is None:
        raise InspectError(
            f"{file} is of a table, and how many numbers a row becomes stands in the facts of a run: give "
            "the run folder."
        )
    return (known.width,)


def _loss(plan: Plan) -> str | None:
    loss = plan.task.loss
    return None if isinstance(loss, Imported) else LOSSES.get(loss.kind, loss.kind)


def _batch(plan: Plan) -> int:
    return plan.batch.micro or plan.batch.size


def _notes(plan: Plan, chosen: Rung, *, guessed: bool) -> tuple[str, ...]:
    others = [rung.name for rung in plan.ladder.rungs if rung.name != chosen.name]
    notes = []
    if others:
        notes.append(f"This is the network of rung {chosen.name}; add :NAME for another ({', '.join(others)}).")
    if guessed:
        notes.append(f"The plan does not say how many outputs the task has: built with {OUTPUTS}.")
    return tuple(notes)
