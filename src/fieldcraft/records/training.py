"""What was seen while a network trained: the record that the watch hands of tips look at."""

from collections.abc import Mapping

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerLook:
    """One layer at one step. None: this kind of layer has no such number, or it was not measured."""

    name: str
    """Path of the submodule."""
    gradient: float | None = None
    """Norm of its weight's gradient over the norm of the weight."""
    update: float | None = None
    """Norm of what the optimiser's step changed, over the norm of the weight."""
    dead: float | None = None
    """Share of its units (channels) that gave zero for every sample of the batch; of rectifiers."""
    saturated: float | None = None
    """Share of its outputs that lie where the slope is below a tenth of the steepest; of sigmoid and tanh."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One training step, seen from inside."""

    rung: str
    step: int
    """Optimiser steps taken before it."""
    layers: tuple[LayerLook, ...]
    """From input to output, as the network names its modules."""
    classes: tuple[int, ...] = ()
    """Samples of each class in the batch; empty when targets are no classes, or too many."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The network on samples that it learnt from, and on samples that it did not; without augmentation, both."""

    training: float
    """The plan's metric on so many training samples as validation has."""
    validation: float
    noise: float
    """Standard error of the difference, over resamples of both."""
    validation_noise: float
    """Standard error of the value on validation."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """One input column (or pixel) that gives the target away by itself."""

    column: str
    score: float
    """Accuracy (for numbers R2) on validation of a table from the column's value to the target, made on training."""
    chance: float
    """The same for the best constant."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Values over optimiser steps, ascending."""

    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """Everything that was seen of one network's training."""

    rung: str
    higher_is_better: bool = True
    """Of the metric."""
    metric: str = "accuracy"
    planned_steps: int = 0
    looks: tuple[Look, ...] = ()
    loss: Curve = Curve()
    """Training loss, averaged over a few steps each."""
    validation: Curve = Curve()
    """The plan's metric on validation in the course of training, the last value included where it is known."""
    noise: float = 0.0
    """Standard error of one value of the metric on validation; 0: not known."""
    gap: Gap | None = None
    baselines: Mapping[str, float] = Field(default_factory=dict)
    """The metric of each baseline on validation."""
    backed_off: tuple[str, ...] = ()
    """Why training went back to an earlier step, each time that it did."""
    ece: float | None = None
    """Expected calibration error before calibration, as a share; of the run's winner alone."""
    overconfident: bool | None = None
    """Whether its mean confidence lies above its accuracy."""
    leaks: tuple[Leak, ...] = ()

    def layers(self, name: str) -> tuple[LayerLook, ...]:
        """One layer through all looks, first to last."""
        return tuple(layer for look in self.looks for layer in look.layers if layer.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Every layer that was looked at, from input to output."""
        return tuple(dict.fromkeys(layer.name for look in self.looks for layer in look.layers))
