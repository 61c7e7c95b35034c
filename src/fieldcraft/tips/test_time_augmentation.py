"""Test time augmentation: ask the network about an image and its mirror image, and average what it says.

Only views that the label was measured to survive, and that training shows; the average is over logits, and calibration,
thresholds and all later predictions are of the averaged answer.

Helps: a network that was trained on both sides still answers a little differently; the average errs less.
Hurts: where a view changes the label; where milliseconds count.
Cost: as many passes as there are views for every prediction (two for mirroring); training takes no longer.
Source: Krizhevsky et al. 2012, NeurIPS 25, section 4.1.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, ImageInput, Imported, Plan, ResNet, View
from fieldcraft.records.brief import Brief
from fieldcraft.records.deep_facts import Symmetry, Transform
from fieldcraft.tips.interface import Applied, Skipped, Tip

PASSES: dict[View, int] = {"mirror": 2, "upside-down": 2}
NEEDS: dict[View, Transform] = {"mirror": "flip-horizontal", "upside-down": "flip-vertical"}


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Mirror images where their symmetry was measured and training mirrors them."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return Skipped(because="rows of a table have no other views")
    if not any(isinstance(rung.network, Cnn | ResNet | Imported) for rung in plan.ladder.rungs):
        return Skipped(because="no network of the ladder looks at images as such")
    if plan.prediction.limit_macs is not None or plan.prediction.limit_ms is not None:
        return Skipped(because="predictions have a limit, and each view would take one more pass")
    shown = {"mirror": sample.augment.flip_horizontal, "upside-down": sample.augment.flip_vertical}
    known = {view: brief.data.deep.survives(transform) for view, transform in NEEDS.items()}
    views = tuple(view for view, one in known.items() if shown[view] and one is not None and one.survives == "yes")
    if not views:
        return Skipped(because=f"no mirroring was measured to leave the label alone ({_said(known['mirror'])})")
    count = 1
    for view in views:
        count *= PASSES[view]
    measured = ", ".join(f"{view} {_said(known[view])}" for view in views)
    because = f"{measured}: averaged over {count} views, predictions take {count} times as long"
    return Applied(plan=replace(plan, prediction=replace(plan.prediction, tta=views)), because=because)


def _said(known: Symmetry | None) -> str:
    if known is None:
        return "not measured"
    return f"{known.survives}, {100 * known.low:+.1f} to {100 * known.high:+.1f} points"


TIP = Tip(name="test-time-augmentation", decide=decide)
