"""metrics.jsonl: one line every few steps and one a validation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from fieldcraft.records.files import write_whole
from fieldcraft.records.training import LayerLook, Look
from fieldcraft.records.versions import stamp
from fieldcraft.train.hooks.interface import Trained, Validated


class MetricsLog:
    """Appends JSON lines; after a resume, lines of steps that will be taken again are dropped first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def begin(self, rung: str, step: int, end: int) -> None:
        """Drop what the rung had logged after the step that it goes on from."""
        self.close()
        if self._path.exists():
            kept = [line for line in self._path.read_text(encoding="utf-8").splitlines() if _stays(line, rung, step)]
            write_whole(self._path, "".join(line + "\n" for line in kept))
        self._file = self._path.open("a", buffering=1)

    def trained(self, record: Trained) -> None:
        """One line of kind "train"."""
        self._write({
            "rung": record.rung, "step": record.step, "kind": "train",
            "loss": record.loss, "lr": record.lr, "ms": record.ms,
        })  # fmt: skip

    def validated(self, record: Validated) -> None:
        """One line of kind "validation"."""
        self._write({"rung": record.rung, "step": record.step, "kind": "validation", "metric": record.metric})

    def looked(self, record: Look) -> None:
        """One line of kind "look"."""
        self._write({
            "rung": record.rung, "step": record.step, "kind": "look",
            "layers": [_known(layer) for layer in record.layers], "classes": record.classes,
        })  # fmt: skip

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, line: Mapping[str, object]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(stamp("metrics", dict(line))) + "\n")


def _known(layer: LayerLook) -> dict[str, object]:
    """The layer's numbers, to four digits; those that it has."""
    numbers = {"gradient": layer.gradient, "update": layer.update, "dead": layer.dead, "saturated": layer.saturated}
    return {"name": layer.name} | {key: float(f"{value:.4g}") for key, value in numbers.items() if value is not None}


def _stays(line: str, rung: str, step: int) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    last = step - 1 if entry["kind"] == "look" else step  # a look has the number of steps before it
    return bool(entry["rung"] != rung or entry["step"] <= last)
