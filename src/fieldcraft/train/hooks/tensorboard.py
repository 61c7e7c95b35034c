"""TensorBoard event files: loss, rate, step time and validation metric, one run a rung."""

from pathlib import Path

from torch.utils.tensorboard.writer import SummaryWriter

from fieldcraft.records.training import Look
from fieldcraft.train.hooks.interface import Trained, Validated


class TensorBoard:
    """Writes what `tensorboard --logdir RUN/tensorboard` shows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def begin(self, rung: str, step: int, end: int) -> None:
        """Open the rung's writer; what was written earlier of steps after `step` is purged by the viewer."""
        self.close()
        self._writer = SummaryWriter(str(self._folder / rung), purge_step=step + 1)

    def trained(self, record: Trained) -> None:
        """Loss, rate and step time."""
        if self._writer is not None:
            self._writer.add_scalar("train/loss", record.loss, record.step)
            self._writer.add_scalar("train/lr", record.lr, record.step)
            self._writer.add_scalar("train/step_ms", record.ms, record.step)

    def validated(self, record: Validated) -> None:
        """The metric."""
        if self._writer is not None:
            self._writer.add_scalar("validation/metric", record.metric, record.step)

    def looked(self, record: Look) -> None:
        """Each layer's numbers."""
        if self._writer is not None:
            for layer in record.layers:
                for name in ("gradient", "update", "dead", "saturated"):
                    if (value := getattr(layer, name)) is not None:
                        self._writer.add_scalar(f"{name}/{layer.name}", value, record.step)

    def close(self) -> None:
        """Flush and close."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
