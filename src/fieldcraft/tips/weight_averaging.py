"""Weight averaging: validate and keep a moving average of the weights instead of the last ones.

Helps: steps at a rate above zero jitter around the solution; their average lies nearer to it.
Hurts: a window as long as the training remembers its beginning, so it follows the expected number of steps.
Cost: one more copy of the weights, and a pass over them each step.
Source: Polyak and Juditsky 1992, SIAM J. Control Optim. 30(4); Izmailov et al. 2018, arXiv:1803.05407.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Averaging, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rough import likely_epochs

WINDOW_SHARE = 0.05
"""Of the expected steps: how far back the average reaches."""
LEAST_STEPS = 200
LONGEST_WINDOW = 1_000


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Average over a twentieth of the steps that are to be expected."""
    steps = likely_epochs(brief) * -(-brief.data.train // plan.batch.size)
    if steps < LEAST_STEPS:
        return Skipped(because=f"about {steps} steps are expected, fewer than {LEAST_STEPS}: too few to average over")
    window = min(LONGEST_WINDOW, WINDOW_SHARE * steps)
    averaging = Averaging(decay=round(1 - 1 / window, 4))
    return Applied(
        plan=replace(plan, averaging=averaging),
        because=f"about {steps:,} steps are expected: the average reaches back over {window:.0f} of them",
    )


TIP = Tip(name="weight-averaging", decide=decide)
