"""Small data and plans with few steps, for tests of whole runs."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.plan.schema import (
    AdamW,
    Averaging,
    Batch,
    Cnn,
    ImageInput,
    Ladder,
    Mlp,
    MultiLabel,
    Network,
    OneCycle,
    Plan,
    Regression,
    Rung,
    SingleLabel,
    TableInput,
    TaskPlan,
)

Pair = tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]


def images(task: str = "single-label", count: int = 150) -> Pair:
    """Noise of 8 x 8 pixels with a brighter half, by class, label or amount."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 100, (count, 8, 8)).astype(np.uint8)
    if task == "single-label":
        y = rng.integers(0, 3, count)
        for row, label in enumerate(y):
            x[row, 2 * label : 2 * label + 3] += 80
        return x, y
    if task == "multi-label":
        labels = rng.integers(0, 2, (count, 2))
        x[labels[:, 0] == 1, :4] += 90
        x[labels[:, 1] == 1, :, :4] += 60
        return x, labels
    amount = rng.uniform(0, 100, count)
    x[:, 2:6] += amount.astype(np.uint8)[:, None, None]
    return x, amount


def table(task: str = "single-label", count: int = 200) -> pd.DataFrame:
    """Numbers, a category and missing values; the target is `y`."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(count, 3)), columns=["heat", "flow", "load"])
    frame["kind"] = rng.choice(["tin", "lead", "zinc"], count)
    amount = 2 * frame["heat"] + frame["flow"] + 3 * (frame["kind"] == "tin") + rng.normal(0, 0.3, count)
    frame.loc[rng.choice(count, 30, replace=False), "load"] = np.nan
    frame.loc[rng.choice(count, 20, replace=False), "kind"] = None
    frame["y"] = np.where(amount > 1, "good", "bad") if task == "single-label" else 10 + 5 * amount
    return frame


TASKS: dict[str, TaskPlan] = {
    "single-label": SingleLabel(),
    "multi-label": MultiLabel(),
    "regression": Regression(),
}


def plan(
    task: TaskPlan | str = "single-label",
    *,
    image: bool = True,
    steps: int = 40,
    network: Network | None = None,
    baselines: tuple[str, ...] = ("majority",),
    rungs: tuple[Rung, ...] | None = None,
) -> Plan:
    """One small rung."""
    net = network or (Cnn(widths=(8, 16)) if image else Mlp(widths=(16,)))
    return Plan(
        seed=1,
        task=TASKS[task] if isinstance(task, str) else task,
        input=ImageInput(height=8, width=8, channels=1) if image else TableInput(),
        batch=Batch(size=32),
        optimiser=AdamW(),
        schedule=OneCycle(),
        averaging=Averaging(decay=0.9),
        ladder=Ladder(
            baselines=baselines,  # type: ignore[arg-type]
            rungs=rungs if rungs is not None else (Rung(name="small", network=net, steps=steps, lr=0.02),),
            climb="always",
        ),
    )
