"""The training log: `metrics.jsonl` as curves, one a rung."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldcraft.records.training import LayerLook, Look


@dataclass(frozen=True)
class Points:
    """Values over optimiser steps, in ascending order of the steps."""

    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class RungLog:
    """What was logged while one rung trained."""

    rung: str
    loss: Points
    lr: Points
    milliseconds: Points
    validation_loss: Points
    validation_metric: Points
    looks: tuple[Look, ...] = ()
    """Steps that were seen from inside."""

    @property
    def last_step(self) -> int:
        """The last step that was logged."""
        return max((*self.loss.steps, *self.validation_metric.steps), default=0)


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file; lines that a kill cut off are passed over."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def read_log(path: Path) -> tuple[RungLog, ...]:
    """The curves of every rung in the order of training; of a step logged twice (by a resumed run) the last counts."""
    rows: dict[str, dict[tuple[str, int], dict[str, Any]]] = {}
    for entry in json_lines(path):
        rung, step, kind = entry.get("rung"), entry.get("step"), entry.get("kind")
        if isinstance(rung, str) and isinstance(step, int) and kind in ("train", "validation", "look"):
            rows.setdefault(rung, {})[kind, step] = entry
    return tuple(_rung_log(rung, entries) for rung, entries in rows.items())


def _rung_log(rung: str, entries: dict[tuple[str, int], dict[str, Any]]) -> RungLog:
    return RungLog(
        rung=rung,
        loss=_points(entries, "train", "loss"),
        lr=_points(entries, "train", "lr"),
        milliseconds=_points(entries, "train", "ms"),
        validation_loss=_points(entries, "validation", "loss"),
        validation_metric=_points(entries, "validation", "metric"),
        looks=tuple(_look(rung, step, entry) for (kind, step), entry in sorted(entries.items()) if kind == "look"),
    )


def _look(rung: str, step: int, entry: dict[str, Any]) -> Look:
    layers = tuple(LayerLook(**layer) for layer in entry.get("layers", ()))
    return Look(rung=rung, step=step, layers=layers, classes=tuple(entry.get("classes", ())))


def _points(entries: dict[tuple[str, int], dict[str, Any]], kind: str, field: str) -> Points:
    found = sorted(
        (step, float(entry[field]))
        for (its_kind, step), entry in entries.items()
        if its_kind == kind and isinstance(entry.get(field), int | float) and math.isfinite(entry[field])
    )
    return Points(tuple(step for step, _ in found), tuple(value for _, value in found))
