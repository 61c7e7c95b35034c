"""Does it pay to change patches more, on hippocampus? The planner's larger network alone, on validation only.

All arms train side by side, on the device that plans name; the changes are those of the tip `mask-strength`, once with
mirrors besides, once with a second output, once with half the channels. The looks are Dice on some validation cases in
the course of training, the last figure Dice on all of them. Usage: python benchmarks/mask_strength.py [STEPS] [FOLD]
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from fieldcraft.plan.masks import PatchInput, UNet
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import read_plan, to_toml
from fieldcraft.tips.mask_strength import strengthened
from fits import command
from result import write
from segmentation import looks
from segmentation_sets import hippocampus

ARMS = ("mild", "strong", "strong, mirrored", "strong, deep supervision", "strong, half as wide")
BUDGET = "385s"
"""What the plan is drafted for; its networks and batches follow from it, its steps do not count here."""


def arm(drafted: Plan, name: str, steps: int) -> Plan:
    """The plan with its largest network alone, and what the arm changes."""
    rung = replace(drafted.ladder.rungs[-1], steps=steps)
    sample, network = drafted.input, rung.network
    assert isinstance(sample, PatchInput) and isinstance(network, UNet)
    augment = sample.augment if name == "mild" else strengthened(sample.augment)
    if "mirrored" in name:
        augment = replace(augment, flip=(0, 2))
    if "deep" in name:
        network = replace(network, deep_supervision=1)
    if "half" in name:
        network = replace(network, widths=tuple(width // 2 for width in network.widths))
    ladder = replace(drafted.ladder, baselines=(), rungs=(replace(rung, network=network),))
    return replace(drafted, ladder=ladder, input=replace(sample, augment=augment))


def main(steps: int = 1200, fold: int = 0) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data = hippocampus(fold, folder / "data")
        command(
            "plan", str(data), "--budget", BUDGET, "--without", "mask-strength", "--out", str(folder / "drafted.toml")
        )
        drafted = read_plan(folder / "drafted.toml").plan
        running = []
        for place, name in enumerate(ARMS):
            (folder / f"{place}.toml").write_text(to_toml(arm(drafted, name, steps), ()))
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "fieldcraft", "fit", str(data), "--plan", str(folder / f"{place}.toml"),
                     "--out", str(folder / str(place))],
                    stdout=sys.stderr, env={**os.environ, "TERM": "dumb"},
                )
            )  # fmt: skip
        found = {}
        for place, (name, process) in enumerate(zip(ARMS, running, strict=True)):
            if process.wait():
                raise SystemExit(f"{name} ended with {process.returncode}")
            results = json.loads((folder / str(place) / "results.json").read_text())
            found[name] = {
                "validation": results["candidates"][-1]["validation"],
                **looks((folder / str(place) / "metrics.jsonl").read_text()),
            }
    write(
        "mask_strength",
        f"Dice on validation, hippocampus, fold {fold}, {steps} steps, one training each; looks by step",
        {"steps": steps, "batch": drafted.batch.size, **found},
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
