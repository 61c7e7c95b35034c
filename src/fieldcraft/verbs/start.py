"""The plan before any tip has spoken: what the data alone settles."""

import numpy as np

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles
from fieldcraft.plan.schema import (
    ImageInput,
    InputPlan,
    MultiLabel,
    PatchInput,
    Plan,
    Regression,
    Segmentation,
    SingleLabel,
    TableInput,
    TaskPlan,
)
from fieldcraft.records.facts import Task

MOST_SIDE = 4096  # voxels of a patch along an axis, before tips decide
LONGEST_PX = 96  # images of mixed sizes are brought to their median size, at most this long


def start_plan(dataset: Dataset, seed: int) -> Plan:
    """Task, input and seed; everything else as the schema has it."""
    return Plan(seed=seed, task=_task(dataset.targets.task, dataset.targets.names), input=_input(dataset))


def _task(task: Task, names: tuple[str, ...]) -> TaskPlan:
    match task:
        case "single-label":
            return SingleLabel()
        case "multi-label":
            return MultiLabel()
        case "regression":
            return Regression()
        case "segmentation":
            membrane = next((index for index, name in enumerate(names) if "membrane" in name.lower()), None)
            return Segmentation(membrane=membrane)


def _input(dataset: Dataset) -> InputPlan:
    inputs = dataset.inputs
    if isinstance(inputs, Cases):
        shapes = np.array([case.geometry.shape for case in inputs.cases])
        sides = np.minimum(np.median(shapes, axis=0), MOST_SIDE)
        return PatchInput(channels=inputs.channels, patch=tuple(max(1, round(float(side))) for side in sides))
    if isinstance(inputs, ImageArray):
        _, height, width, channels = inputs.pixels.shape
    elif isinstance(inputs, ImageFiles):
        height, width = (int(side) for side in np.median(inputs.sizes, axis=0))
        channels = inputs.channels
    else:
        return TableInput()
    shrink = min(1.0, LONGEST_PX / max(height, width))
    return ImageInput(height=max(1, round(height * shrink)), width=max(1, round(width * shrink)), channels=channels)
