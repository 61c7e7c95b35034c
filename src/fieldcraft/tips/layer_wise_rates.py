"""Layer wise rates: a body that was taken over learns the more slowly the closer its parts are to the input.

The first part learns at a tenth of the head's rate, the parts between on a geometric course.

Helps: edges and textures serve most images as they are, what stands for whole things has to change.
Hurts: images of another kind (medical, multispectral), where the first filters should change, too.
Cost: none.
Source: Howard and Ruder 2018, arXiv:1801.06146, section 3.2 (there a factor of 2.6 from layer to layer).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.pretrained_rung import tuning_of, with_tuning

FIRST_RATE = 0.1
"""Of the part at the input, as a share of the head's."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Slow down the parts near the input."""
    tuning = tuning_of(plan)
    if tuning is None:
        return Skipped(because="no network is taken over")
    changed = with_tuning(plan, replace(tuning, first_rate=FIRST_RATE))
    return Applied(plan=changed, because=f"from {FIRST_RATE:g} of the rate at the input to the whole of it at the head")


TIP = Tip(name="layer-wise-rates", decide=decide, refines=("transfer", "choice-of-weights"))
