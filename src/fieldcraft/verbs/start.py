"""The plan before any tip has spoken: what the data alone settles."""

import numpy as np

from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles
from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import (
    ImageInput,
    InputPlan,
    MultiLabel,
    Plan,
    Regression,
    SingleLabel,
    TableInput,
    TaskPlan,
)
from fieldcraft.records.facts import Task

LONGEST_PX = 96  # images of mixed sizes are brought to their median size, at most this long


def start_plan(dataset: Dataset, seed: int) -> Plan:
    """Task, input and seed; everything else as the schema has it."""
    return Plan(seed=seed, task=_task(dataset.targets.task), input=_input(dataset))


def _task(task: Task) -> TaskPlan:
    match task:
        case "single-label":
            return SingleLabel()
        case "multi-label":
            return MultiLabel()
        case "regression":
            return Regression()
        case "segmentation":
            raise PlanError(
                "images with masks can be read, audited and fingerprinted, but nothing is planned for them yet."
            )


def _input(dataset: Dataset) -> InputPlan:
    inputs = dataset.inputs
    if isinstance(inputs, ImageArray):
        _, height, width, channels = inputs.pixels.shape
    elif isinstance(inputs, ImageFiles):
        height, width = (int(side) for side in np.median(inputs.sizes, axis=0))
        channels = inputs.channels
    else:
        return TableInput()
    shrink = min(1.0, LONGEST_PX / max(height, width))
    return ImageInput(height=max(1, round(height * shrink)), width=max(1, round(width * shrink)), channels=channels)
